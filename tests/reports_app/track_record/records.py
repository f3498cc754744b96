"""A small track record, and what a forger does to one."""

import datetime as dt

from reports_app.models import RecordDay, RecordPublication, RecordSeal
from reports_app.track_record.sealing import seal_days
from signals_app.models import Signal, StreamPosition
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Trade, TradeEvent

LOST, WON = (2039.0,), (2055.0, 2065.0)
FRIDAY, MONDAY = dt.date(2024, 1, 5), dt.date(2024, 1, 8)


def stream_at(time_ms: int) -> None:
    StreamPosition.objects.update_or_create(instrument="XAUUSD", defaults={"time_ms": time_ms})


def make_record() -> None:
    """Friday: one lost, one won, sealed; Monday: one that runs."""
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(2), *WON)
    stored_trade(numbered(1, days=3))
    stream_at(CLOSE_MS + 3 * DAY_MS + 60_000)
    seal_days("XAUUSD")


def remove_seals() -> None:
    """Remove every day's digest, and whatever else says that there were days."""
    for rows in (RecordDay, RecordSeal, RecordPublication):
        rows.objects.all().delete()


def remove(signal_id: str) -> None:
    TradeEvent.objects.filter(trade__signal=signal_id).delete()
    Trade.objects.filter(signal=signal_id).delete()
    Signal.objects.filter(pk=signal_id).delete()
