"""Liquidity pools and sweeps."""

import pytest
from msgspec.structs import replace

from signals_app.market.candle import Candles
from signals_app.smc.liquidity import (
    LiquidityPool,
    LiquiditySweep,
    PoolKind,
    PoolOutcome,
    Side,
    find_pools,
    find_sweeps,
    sweep_score,
)
from signals_app.smc.measures import Bias
from signals_app.smc.swings import Swing, SwingKind
from tests.signals_app.smc.pictures import HOUR_MS, NOON_MS, draw, upside_down

QUIET = (10, 10.5, 9.5, 10)  # every ATR is 1 where all candles are like this
POOL = LiquidityPool(1, Side.BUY, PoolKind.SWING, 12.0, 1, None, None)


def high(index: int, price: float) -> Swing:
    return Swing(index, index + 1, SwingKind.HIGH, price, None)


def low(index: int, price: float) -> Swing:
    return Swing(index, index + 1, SwingKind.LOW, price, None)


def after_pool(*rows: tuple[float, ...]) -> tuple[LiquidityPool, tuple[LiquiditySweep, ...]]:
    """Return what becomes of a pool at 12, created at candle 1, when the rows follow it."""
    candles = draw(QUIET, QUIET, *rows)
    pools = find_pools(candles, [high(0, 12.0)])
    return pools[0], find_sweeps(candles, pools)


def test_swing_high_makes_a_pool_where_it_is_confirmed() -> None:
    assert find_pools(draw(QUIET, QUIET, QUIET), [high(0, 12.0)]) == (POOL,)


def test_swing_low_makes_a_sell_side_pool() -> None:
    assert find_pools(draw(QUIET, QUIET, QUIET), [low(0, 8.0)]) == (
        replace(POOL, side=Side.SELL, price=8.0),
    )


def test_swing_within_a_tenth_of_an_atr_joins_the_pool() -> None:
    swings = [high(0, 12.0), high(1, 11.9375), high(2, 11.875)]
    assert find_pools(draw(*[QUIET] * 4), swings) == (
        replace(POOL, touches=2),
        LiquidityPool(3, Side.BUY, PoolKind.SWING, 11.875, 1, None, None),
    )


def test_joined_pool_rests_at_the_higher_of_both() -> None:
    assert find_pools(draw(*[QUIET] * 3), [high(0, 12.0), high(1, 12.0625)]) == (
        replace(POOL, touches=2, price=12.0625),
    )


def test_swing_joins_the_nearest_pool_and_of_equal_distances_the_older() -> None:
    candles = draw(*[QUIET] * 5)
    three = [high(0, 12.0), high(1, 12.125)]
    nearer = find_pools(candles, [*three, high(2, 12.078125)])
    tie = find_pools(candles, [*three, high(2, 12.0625)])
    assert [pool.touches for pool in nearer] == [1, 2]
    assert [pool.touches for pool in tie] == [2, 1]


def test_taken_pool_takes_no_more_swings() -> None:
    candles = draw(QUIET, QUIET, (10, 12.5, 10, 12.2), QUIET, QUIET)
    pools = find_pools(candles, [high(0, 12.0), high(2, 12.0)])
    assert [(pool.touches, pool.taken_at) for pool in pools] == [(1, 2), (1, None)]


def test_pool_is_not_taken_by_the_candle_that_makes_it_nor_by_one_that_only_reaches_it() -> None:
    candles = draw(QUIET, (10, 13, 10, 10), (10, 12, 10, 10))
    assert find_pools(candles, [high(0, 12.0)]) == (POOL,)


def test_close_back_in_the_same_candle_is_a_sweep() -> None:
    pool, sweeps = after_pool((11, 12.5, 11, 11.5))
    assert pool == replace(POOL, taken_at=2, outcome=PoolOutcome.SWEEP)
    assert sweeps == (
        LiquiditySweep(
            index=2,
            taken_at=2,
            direction=Bias.BEARISH,
            price=12.0,
            kind=PoolKind.SWING,
            penetration=0.5,
            volume_spike=False,
            wick=1.0 / 1.5,
            score=0.30 + 0.20 + 0.15,
        ),
    )


def test_sell_side_sweep_is_the_mirror() -> None:
    rows = [QUIET, QUIET, (11, 12.5, 11, 11.5)]
    candles = draw(*upside_down(rows, middle=10))
    pools = find_pools(candles, [low(0, 8.0)])
    _, (sweep,) = after_pool(rows[2])
    assert find_sweeps(candles, pools) == (replace(sweep, direction=Bias.BULLISH, price=8.0),)


def test_close_back_may_come_two_candles_later() -> None:
    above = (12.1, 12.5, 12, 12.4)
    pool, (sweep,) = after_pool((11, 12.5, 11, 12.2), above, (12.4, 12.75, 11, 11.5))
    assert pool.outcome is PoolOutcome.SWEEP
    assert (sweep.index, sweep.taken_at, sweep.penetration) == (4, 2, 0.75)
    assert sweep.wick == (12.75 - 12.4) / (12.75 - 11)
    assert sweep.score == 0.30


def test_wick_is_that_of_the_first_candle_at_the_extreme() -> None:
    _, (sweep,) = after_pool((11, 12.5, 11.5, 12.25), (12.25, 12.5, 11.5, 11.75))
    assert sweep.wick == 0.25


def test_pool_that_price_stays_beyond_was_run() -> None:
    above = (12.1, 12.5, 12, 12.4)
    pool, sweeps = after_pool((11, 12.5, 11, 12), above, above, (12, 12, 9, 9))
    assert pool == replace(POOL, taken_at=2, outcome=PoolOutcome.RUN)
    assert sweeps == ()


def test_taken_pool_is_pending_until_two_more_candles_closed() -> None:
    above = (12.1, 12.5, 12, 12.4)
    assert after_pool(above)[0].outcome is PoolOutcome.PENDING
    assert after_pool(above, above)[0].outcome is PoolOutcome.PENDING
    assert after_pool(above, above, above)[0].outcome is PoolOutcome.RUN


def test_loud_candle_within_the_sweep_is_a_volume_spike() -> None:
    _, (loud,) = after_pool((11, 12.5, 11, 11.5, 151))
    _, (usual,) = after_pool((11, 12.5, 11, 11.5, 150))
    assert (loud.volume_spike, usual.volume_spike) == (True, False)


def test_sweep_of_equal_highs_scores_higher() -> None:
    candles = draw(QUIET, QUIET, QUIET, (11, 12.5, 11, 11.5))
    single = find_sweeps(candles, find_pools(candles, [high(0, 12.0)]))[0]
    double = find_sweeps(candles, find_pools(candles, [high(0, 12.0), high(1, 12.0)]))[0]
    assert double.score == pytest.approx(single.score + 0.15)


def test_score_adds_what_speaks_for_the_sweep() -> None:
    best = sweep_score(same_candle=True, volume_spike=True, wick=0.51, strong_pool=True)
    worst = sweep_score(same_candle=False, volume_spike=False, wick=0.5, strong_pool=False)
    assert (best, worst) == (pytest.approx(1.0), 0.30)


def hourly(start_ms: int, *rows: tuple[float, ...]) -> Candles:
    return draw(*rows, start_ms=start_ms, step_ms=HOUR_MS)


def periods(candles: Candles) -> list[tuple[int, str, float]]:
    return [(pool.created_at, pool.kind, pool.price) for pool in find_pools(candles, [])]


def test_day_turns_at_five_in_the_afternoon_in_new_york() -> None:
    # Tuesday 20:00, 21:00, 22:00 and 23:00 UTC; New York is five hours behind in winter.
    winter = hourly(NOON_MS + 8 * HOUR_MS, (5, 7, 4, 5), (5, 6, 5, 5), (5, 9, 1, 5), (5, 6, 5, 5))
    assert periods(winter) == [(2, "PDH", 7.0), (2, "PDL", 4.0)]
    summer_ms = NOON_MS + 182 * 24 * HOUR_MS
    summer = hourly(summer_ms + 8 * HOUR_MS, (5, 7, 4, 5), (5, 6, 5, 5), (5, 9, 1, 5))
    assert periods(summer) == [(1, "PDH", 7.0), (1, "PDL", 4.0)]


def test_week_turns_on_sunday_evening_and_day_comes_before_week() -> None:
    # Thursday 21:00 UTC, Friday 21:00 UTC, then Sunday 22:00 UTC, in winter.
    thursday = NOON_MS + (2 * 24 + 9) * HOUR_MS
    days = draw((5, 9, 4, 5), (5, 7, 3, 5), step_ms=24 * HOUR_MS, start_ms=thursday)
    sunday = draw((5, 6, 5, 5), start_ms=thursday + 73 * HOUR_MS)
    candles = Candles.of([*days, *sunday])
    assert periods(candles) == [
        (1, "PDH", 9.0),
        (1, "PDL", 4.0),
        (2, "PDH", 7.0),
        (2, "PWH", 9.0),
        (2, "PDL", 3.0),
        (2, "PWL", 3.0),
    ]


def test_day_before_is_the_last_one_that_has_candles() -> None:
    # Tuesday and then Friday: a holiday between leaves no pool of its own.
    candles = draw((5, 7, 4, 5), (5, 6, 5, 5), step_ms=72 * HOUR_MS)
    assert periods(candles) == [(1, "PDH", 7.0), (1, "PDL", 4.0)]


def test_older_day_high_stays_active() -> None:
    candles = draw((5, 7, 4, 5), (5, 6, 5, 5), (5, 6, 5, 5), step_ms=24 * HOUR_MS)
    active = [pool for pool in find_pools(candles, []) if pool.kind is PoolKind.PDH]
    assert [(pool.price, pool.taken_at) for pool in active] == [(7.0, None), (6.0, None)]


def test_swing_pool_comes_before_the_day_and_buy_before_sell() -> None:
    candles = draw((5, 7, 4, 5), (5, 6, 5, 5), step_ms=24 * HOUR_MS)
    pools = find_pools(candles, [high(0, 7.0), low(0, 4.0)])
    assert [(pool.side, pool.kind) for pool in pools] == [
        ("buy", "SWING"),
        ("buy", "PDH"),
        ("sell", "SWING"),
        ("sell", "PDL"),
    ]


def test_sweeps_are_in_the_order_of_their_candle_then_of_their_pool() -> None:
    # Candle 4 takes 12 and 11 and sweeps 12; candle 5 takes 13, and closes below all.
    candles = draw(*[QUIET] * 4, (10, 12.5, 10, 11.5), (11.5, 13.5, 10, 10.5))
    swings = [high(0, 11.0), high(1, 13.0), high(2, 12.0)]
    sweeps = find_sweeps(candles, find_pools(candles, swings))
    assert [(sweep.index, sweep.price) for sweep in sweeps] == [(4, 12.0), (5, 11.0), (5, 13.0)]
