"""What a backtest gives, counted."""

from dataclasses import replace

import pytest

from reports_app.backtest.engine import run
from reports_app.backtest.result import BacktestResult, result_as_json
from signals_app.confluence.refusals import RefusalReason
from signals_app.market.encoding import as_json
from tests.reports_app.backtest.markets import MONDAY_MS, wandering_ticks
from tests.reports_app.backtest.test_engine import EAGER, GOLD
from tests.trades_app.examples import SIGNAL

DAY_MS = 86_400_000
WEEK = BacktestResult(
    instrument=GOLD,
    parameters=EAGER,
    signals=(SIGNAL,) * 3,
    trades=(),
    refusals={RefusalReason.ZONE_TRADED: 4, RefusalReason.BELOW_THRESHOLD: 90},
    candles={},
    ticks=0,
    ambiguous_candles=0,
    first_time_ms=MONDAY_MS,
    last_time_ms=MONDAY_MS + 7 * DAY_MS,
    decided_from_ms=MONDAY_MS,
)


def test_signals_and_refusals_are_the_closes_that_were_decided() -> None:
    assert WEEK.decisions == 97
    assert result_as_json(WEEK)["refusals"] == {"BELOW_THRESHOLD": 90, "ZONE_TRADED": 4}
    assert result_as_json(WEEK)["signals"] == [as_json(SIGNAL)] * 3


@pytest.mark.parametrize(
    ("decided_from_ms", "per_week"),
    [
        (MONDAY_MS, 3.0),
        (MONDAY_MS + 6 * DAY_MS, 21.0),
        (MONDAY_MS + 8 * DAY_MS, None),
        (None, None),
    ],
)
def test_what_only_fills_the_windows_is_no_week_without_signals(
    decided_from_ms: int | None, per_week: float | None
) -> None:
    assert replace(WEEK, decided_from_ms=decided_from_ms).signals_per_week == per_week


def test_the_engine_says_from_when_on_it_decided() -> None:
    ticks = [wandering_ticks(2)]
    later_ms = MONDAY_MS + DAY_MS

    whole, later = run(GOLD, EAGER, ticks, {}), run(GOLD, EAGER, ticks, {}, decide_from_ms=later_ms)

    assert whole.decided_from_ms == whole.first_time_ms == later.first_time_ms
    assert later.decided_from_ms == later_ms
    assert run(GOLD, EAGER, ticks, {}, decide_from_ms=1).decided_from_ms == whole.first_time_ms
    assert run(GOLD, EAGER, [], {}).decided_from_ms is None
