"""Gold's stream behind the example trade."""

import pytest

from signals_app.models import StreamPosition
from tests.trades_app.examples import CLOSE_MS


@pytest.fixture
def position() -> StreamPosition:
    """Gold's stream, twenty ticks long, a minute after the example's close."""
    return StreamPosition.objects.create(
        instrument="XAUUSD", ordinal=20, time_ms=CLOSE_MS + 60_000, bid=2048.0, ask=2048.2
    )
