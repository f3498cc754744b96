"""The gateway's clock."""

import time

import pytest

from signals_app.gateway.clock import wall_ms


def test_the_clock_counts_whole_milliseconds_of_the_unix_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_763_553_600_123_999_999)

    assert wall_ms() == 1_763_553_600_123
