"""The engine's windows: which closes come to a decision, and what it sees then."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from reports_app.backtest.columns import resample
from reports_app.backtest.windows import EngineWindows, PlannedClose
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.scoring import best_direction
from signals_app.market.aggregation import candles_of
from signals_app.market.candle import TIMEFRAMES, Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.smc.analysis import view
from tests.reports_app.backtest.markets import wandering_ticks

GOLD = DEFAULT_INSTRUMENTS[0]
EAGER = Parameters(threshold=55.0, warm_up_candles=10)


def market(days: int = 5) -> dict[Timeframe, Candles]:
    m15 = Candles.of(candles_of([wandering_ticks(days)], Timeframe.M15))
    return {timeframe: resample(m15, timeframe) for timeframe in TIMEFRAMES}


def planned(
    windows: EngineWindows, closed: dict[Timeframe, Candles], refusals: Counter[RefusalReason]
) -> Iterator[PlannedClose]:
    """Each close is entered at its own price."""
    bid = closed[Timeframe.M15].close
    return windows.add(closed, bid, bid + 0.3, refusals)


def test_a_close_is_judged_by_the_windows_that_had_closed_by_then() -> None:
    closed, refusals = market(), Counter[RefusalReason]()
    windows = EngineWindows(GOLD, EAGER)
    found = 0
    for close in planned(windows, closed, refusals):
        judged = windows.judged(close)
        assert judged is not None
        found += 1
        seen = []
        for timeframe in (Timeframe.H4, Timeframe.H1, Timeframe.M15):
            times = closed[timeframe].time_ms + timeframe.milliseconds
            window = closed[timeframe].window(int((times <= close.close_time_ms).sum()))
            seen.append(view(window, timeframe))
        assert judged[0] == tuple(seen)
        assert judged[1][0] == best_direction(tuple(seen))[0]
        assert (judged[1][0].direction, judged[1][0].total) == (
            close.plan.direction,
            close.plan.total,
        )
    assert found > 20


def test_candles_that_come_in_pieces_leave_the_same_closes() -> None:
    closed = market()
    whole = EngineWindows(GOLD, EAGER)
    at_once = [
        (close.close_time_ms, close.plan.total) for close in planned(whole, closed, Counter())
    ]

    windows, in_pieces = EngineWindows(GOLD, EAGER), []
    edges = [0, 31_000_000, 200_000_000, 10**12]
    first_ms = int(closed[Timeframe.M15].time_ms[0])
    for begin, end in pairwise(edges):
        part = {}
        for timeframe, candles in closed.items():
            ended = candles.time_ms + timeframe.milliseconds - first_ms
            part[timeframe] = candles.part(int((ended <= begin).sum()), int((ended <= end).sum()))
        in_pieces += [
            (close.close_time_ms, close.plan.total) for close in planned(windows, part, Counter())
        ]

    assert in_pieces == at_once
    assert windows.built == whole.built


def test_every_close_is_counted_or_comes_to_a_decision() -> None:
    refusals = Counter[RefusalReason]()
    left = list(planned(EngineWindows(GOLD, EAGER), market(), refusals))

    assert refusals[RefusalReason.WARMING_UP] == 159
    assert len(left) + refusals.total() == len(market()[Timeframe.M15])


def test_windows_without_history_are_not_warm() -> None:
    refusals = Counter[RefusalReason]()
    windows = EngineWindows(GOLD, Parameters(warm_up_candles=200))

    assert list(planned(windows, market(1), refusals)) == []
    # A reason that never held is not counted with nothing either.
    assert refusals == {RefusalReason.WARMING_UP: 95}
