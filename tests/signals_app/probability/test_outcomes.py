"""Races of +1 R against -1 R, on candles drawn by hand and against the readable twin."""

import numpy as np
import pytest

from signals_app.market.candle import Candles
from signals_app.probability import events as finding
from signals_app.probability import outcomes
from signals_app.probability.events import Events, find_events
from signals_app.probability.outcomes import LOST, NEITHER, VOID, WON, measure, race

# What is called from Python; the rest is compiled with them.
_COMPILED = (finding._find, outcomes._run)
QUIET = (100.0, 100.4, 99.6, 100.0)
HOUR_MS = 3_600_000


def drawn(*later: tuple[float, float, float, float], quiet_before: int = 100) -> Candles:
    """Return quiet candles, then these (open, high, low, close), then quiet ones again."""
    rows = np.array([QUIET] * quiet_before + list(later) + [QUIET] * 60)
    times = HOUR_MS * np.arange(len(rows), dtype=np.int64)
    return Candles(times, *rows.T.copy(), np.ones(len(rows)))


def event(index: int, *, side: int, top: float, bottom: float, atr: float = 1.0) -> Events:
    """Return one order block formed at ``index``: side 0 bullish, 1 bearish."""
    whole = [np.array([value], dtype=np.int64) for value in (index, index, 0, 0, side)]
    return Events(*whole, *(np.array([value]) for value in (top, bottom, 0.5, atr)))


def outcome(candles: Candles, spread: float, is_buy: bool, stop: float) -> int:
    return race(candles, np.full(len(candles), spread), place=100, is_buy=is_buy, stop=stop)


def test_a_buy_wins_where_the_bid_makes_one_risk_before_it_loses_one() -> None:
    up = drawn(QUIET, (100, 101.3, 99.9, 101), (101, 102.3, 100.9, 102))

    # Entry 100.2 (the ask), stop 99: the target is 101.4, which only the third candle reaches.
    assert outcome(up, 0.2, True, 99.0) == WON
    assert outcome(up, 0.2, True, 97.0) == NEITHER


def test_the_stop_comes_first_where_one_candle_holds_both() -> None:
    both = drawn((100, 103, 97, 100))

    assert outcome(both, 0.0, True, 98.0) == LOST
    assert outcome(both, 0.0, False, 102.0) == LOST


def test_a_sells_stop_is_reached_by_the_ask() -> None:
    high = drawn((100, 101.9, 99.7, 100))

    assert outcome(high, 0.2, False, 102.0) == LOST
    assert outcome(high, 0.05, False, 102.0) == NEITHER


def test_a_quote_beyond_the_stop_leaves_nothing_to_risk() -> None:
    assert outcome(drawn(QUIET), 0.3, True, 100.0) == VOID
    assert outcome(drawn(QUIET), 0.3, False, 100.3) == VOID


def test_after_forty_eight_candles_a_race_is_over() -> None:
    late = drawn(*[QUIET] * 47, (100, 102, 99.9, 101))
    too_late = drawn(*[QUIET] * 48, (100, 102, 99.9, 101))

    assert (outcome(late, 0.0, True, 99.0), outcome(too_late, 0.0, True, 99.0)) == (WON, NEITHER)


@pytest.mark.parametrize(("high", "won"), [(101.1, 1), (101.05, 0)])
def test_the_stop_is_a_tenth_of_the_range_beyond_the_zone(high: float, won: int) -> None:
    candles = drawn((100, high, 99.5, 101))

    # Entry 100 at the next open, stop 99.0 - 0.1 * 1.0: one R up is 101.1.
    found = measure(candles, np.zeros(len(candles)), event(99, side=0, top=99.4, bottom=99.0))

    assert (found.event.tolist(), found.won.tolist(), found.known_at.tolist()) == (
        [0],
        [won],
        [147],
    )


def test_an_event_without_forty_eight_candles_behind_it_has_no_outcome() -> None:
    candles = drawn((100, 101.05, 99.5, 101))
    last = len(candles) - outcomes.HORIZON - 1
    spread = np.zeros(len(candles))

    assert len(measure(candles, spread, event(last, side=0, top=99.2, bottom=99.0)).event) == 1
    assert len(measure(candles, spread, event(last + 1, side=0, top=99.2, bottom=99.0)).event) == 0


@pytest.mark.parametrize("side", [0, 1])
def test_the_compiled_race_equals_the_readable_one(side: int) -> None:
    random = np.random.default_rng(5)
    close = 100 + np.cumsum(random.normal(0, 0.4, 600))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = random.uniform(0, 0.5, (2, 600))
    candles = Candles(
        HOUR_MS * np.arange(600, dtype=np.int64),
        open_,
        np.maximum(open_, close) + reach[0],
        np.minimum(open_, close) - reach[1],
        close,
        np.ones(600),
    )
    spread = random.uniform(0, 0.2, 600)
    for index in range(60, 540, 7):
        price = float(close[index])
        far = price - 1.5 if side == 0 else price + 1.5
        found = measure(
            candles,
            spread,
            event(index, side=side, top=max(far, price), bottom=min(far, price), atr=0.8),
        )
        stop = far - 0.08 if side == 0 else far + 0.08
        expected = race(candles, spread, place=index + 1, is_buy=side == 0, stop=stop)
        assert found.won.tolist() == ([] if expected == VOID else [int(expected == WON)])


def test_controls_are_the_same_every_time_and_start_at_the_same_hour() -> None:
    candles = drawn(*[QUIET] * 400)
    spread = np.zeros(len(candles))
    one = event(150, side=0, top=99.4, bottom=99.0)

    first, second = measure(candles, spread, one), measure(candles, spread, one)

    assert np.array_equal(first.random_known_at, second.random_known_at)
    started = candles.time_ms[first.random_known_at - outcomes.HORIZON] // HOUR_MS % 24
    assert set(started.ravel().tolist()) == {150 % 24}
    assert len(set(first.random_known_at.ravel().tolist())) > 5


def test_warming_up_compiles_all_that_measuring_real_candles_needs() -> None:
    outcomes.warm_up()
    compiled = [len(function.signatures) for function in _COMPILED]
    rising = drawn((100, 101.3, 99.9, 101), (101, 103.3, 100.9, 103), (103, 104, 102.5, 103.5))
    measure(rising, np.full(len(rising), 0.2), find_events(rising))
    assert [len(function.signatures) for function in _COMPILED] == compiled
