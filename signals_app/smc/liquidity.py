"""Liquidity: pools of resting orders beyond highs and lows, and the sweeps that take them.

Defined in docs/domain/definitions.md, sections 5 and 6.
"""

from collections.abc import Hashable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from signals_app.market.calendar import trading_day
from signals_app.market.candle import Candles
from signals_app.smc.measures import (
    Bias,
    average_true_ranges,
    mirrored,
    relative_volumes,
    share,
)
from signals_app.smc.swings import Swing, SwingKind

#: How near, in ATR, a swing must be to a pool to join it.
EQUAL_TOLERANCE_ATR = 0.10
#: Candles after the taking one in which a close back through makes it a sweep.
RECLAIM_CANDLES = 2
#: Touches from which a pool is equal highs or equal lows.
EQUAL_TOUCHES = 2
#: Relative volume above which a sweep has a `volume_spike`.
SPIKE_RELVOL = 1.5
#: The share of the extreme candle's range above which the sweep's wick is long.
LONG_WICK = 0.5
#: The parts of `score`: every sweep's, then one for each quality.
BASE_SCORE = 0.30
SAME_CANDLE_SCORE, SPIKE_SCORE, WICK_SCORE, POOL_SCORE = 0.20, 0.20, 0.15, 0.15


class Side(StrEnum):
    """Buy-side liquidity rests above highs, sell-side below lows."""

    BUY = "buy"
    SELL = "sell"


class PoolKind(StrEnum):
    """What the orders rest beyond: swings, or the previous day's or week's high or low."""

    SWING = "SWING"
    PDH = "PDH"
    PDL = "PDL"
    PWH = "PWH"
    PWL = "PWL"


class PoolOutcome(StrEnum):
    """What became of a taken pool: price came back, went on, or has not decided yet."""

    SWEEP = "sweep"
    RUN = "run"
    PENDING = "pending"


class LiquidityPool(Struct, frozen=True, gc=False):
    """Resting orders at `price`; two or more `touches` are equal highs or lows.

    `taken_at` is the candle that traded through, and `outcome` what followed; both `None` while
    the pool is active.
    """

    created_at: int
    side: Side
    kind: PoolKind
    price: float
    touches: int
    taken_at: int | None
    outcome: PoolOutcome | None


class LiquiditySweep(Struct, frozen=True, gc=False):
    """A pool taken at `taken_at` and closed back through by candle `index`.

    `direction` is the reversal that it suggests, `kind` the pool's, `penetration` how far price
    went beyond `price`, `wick` the share of that candle's range left behind. `score` ranks by
    convention and is no probability.
    """

    index: int
    taken_at: int
    direction: Bias
    price: float
    kind: PoolKind
    penetration: float
    volume_spike: bool
    wick: float
    score: float


def find_pools(
    candles: Candles,
    swings: Sequence[Swing],
    equal_tolerance_atr: float = EQUAL_TOLERANCE_ATR,
    reclaim_candles: int = RECLAIM_CANDLES,
) -> tuple[LiquidityPool, ...]:
    """All pools by `created_at`: buy-side first, then swing before day before week.

    ``swings`` are those of the window, by `confirmed_at`.
    """
    highs = {s.confirmed_at: s.price for s in swings if s.kind is SwingKind.HIGH}
    lows = {s.confirmed_at: -s.price for s in swings if s.kind is SwingKind.LOW}
    buy_side = _buy_side_pools(candles, highs, equal_tolerance_atr, reclaim_candles)
    sell_side = [
        replace(pool, side=Side.SELL, kind=_SELL_SIDE[pool.kind], price=-pool.price)
        for pool in _buy_side_pools(mirrored(candles), lows, equal_tolerance_atr, reclaim_candles)
    ]
    return tuple(sorted(buy_side + sell_side, key=lambda pool: pool.created_at))


def find_sweeps(
    candles: Candles, pools: Sequence[LiquidityPool], reclaim_candles: int = RECLAIM_CANDLES
) -> tuple[LiquiditySweep, ...]:
    """The sweeps among ``pools`` by `index`, then in the order of the pools."""
    upside_down = mirrored(candles)
    relvol = relative_volumes(candles)
    sweeps: list[LiquiditySweep] = []
    for pool in pools:
        if pool.outcome is not PoolOutcome.SWEEP:
            continue
        if pool.side is Side.BUY:
            sweeps.append(_bearish_sweep(candles, relvol, pool, reclaim_candles))
        else:
            turned = replace(pool, price=-pool.price)
            sweep = _bearish_sweep(upside_down, relvol, turned, reclaim_candles)
            sweeps.append(replace(sweep, direction=Bias.BULLISH, price=pool.price))
    return tuple(sorted(sweeps, key=lambda sweep: sweep.index))


def sweep_score(*, same_candle: bool, volume_spike: bool, wick: float, strong_pool: bool) -> float:
    """A ranking by qualities, 0.30 to 1.0; a convention and no probability."""
    return (
        BASE_SCORE
        + SAME_CANDLE_SCORE * same_candle
        + SPIKE_SCORE * volume_spike
        + WICK_SCORE * (wick > LONG_WICK)
        + POOL_SCORE * strong_pool
    )


_SELL_SIDE = {
    PoolKind.SWING: PoolKind.SWING,
    PoolKind.PDH: PoolKind.PDL,
    PoolKind.PWH: PoolKind.PWL,
}


def _buy_side_pools(
    candles: Candles,
    swing_highs: dict[int, float],
    equal_tolerance_atr: float,
    reclaim_candles: int,
) -> list[LiquidityPool]:
    """The pools above highs; ``swing_highs`` are prices by the candle that confirmed them."""
    high, close = candles.high.tolist(), candles.close.tolist()
    atr = average_true_ranges(candles)
    days = [trading_day(time_ms) for time_ms in candles.time_ms.tolist()]
    day_highs = _highs_before(high, [day.date for day in days])
    week_highs = _highs_before(high, [day.week for day in days])

    pools: list[LiquidityPool] = []
    active: list[int] = []  # places in `pools`, the oldest first
    for i in range(len(candles)):
        for place in active:
            pool = pools[place]
            if high[i] > pool.price:
                outcome = _outcome(close, pool.price, i, reclaim_candles)
                pools[place] = replace(pool, taken_at=i, outcome=outcome)
        active = [place for place in active if pools[place].taken_at is None]

        created: list[tuple[PoolKind, float]] = []
        if i in swing_highs:
            price = swing_highs[i]
            equal = _nearest_swing_pool(pools, active, price, equal_tolerance_atr * atr[i])
            if equal is None:
                created.append((PoolKind.SWING, price))
            else:
                pool = pools[equal]
                pools[equal] = replace(pool, touches=pool.touches + 1, price=max(pool.price, price))
        if i in day_highs:
            created.append((PoolKind.PDH, day_highs[i]))
        if i in week_highs:
            created.append((PoolKind.PWH, week_highs[i]))
        for kind, price in created:
            active.append(len(pools))
            pools.append(LiquidityPool(i, Side.BUY, kind, price, 1, None, None))
    return pools


def _highs_before(high: list[float], periods: Sequence[Hashable]) -> dict[int, float]:
    """By each candle that opens a new period: the high of the period before it."""
    highs: dict[int, float] = {}
    start = 0
    for i in range(1, len(high)):
        if periods[i] != periods[i - 1]:
            highs[i] = max(high[start:i])
            start = i
    return highs


def _nearest_swing_pool(
    pools: list[LiquidityPool], active: list[int], price: float, tolerance: float
) -> int | None:
    """The place of the swing pool that a swing at ``price`` joins, the older on a tie."""
    swing_pools = [place for place in active if pools[place].kind is PoolKind.SWING]
    nearest = min(swing_pools, key=lambda place: abs(price - pools[place].price), default=None)
    if nearest is None or abs(price - pools[nearest].price) > tolerance:
        return None
    return nearest


def _reclaimed_at(
    close: list[float], price: float, taken_at: int, reclaim_candles: int
) -> int | None:
    """The first candle that closed back below a buy-side price in time."""
    in_time = range(taken_at, min(taken_at + reclaim_candles, len(close) - 1) + 1)
    return next((j for j in in_time if close[j] < price), None)


def _outcome(close: list[float], price: float, taken_at: int, reclaim_candles: int) -> PoolOutcome:
    if _reclaimed_at(close, price, taken_at, reclaim_candles) is not None:
        return PoolOutcome.SWEEP
    decided = taken_at + reclaim_candles < len(close)
    return PoolOutcome.RUN if decided else PoolOutcome.PENDING


def _bearish_sweep(
    candles: Candles, relvol: list[float], pool: LiquidityPool, reclaim_candles: int
) -> LiquiditySweep:
    taken_at = pool.taken_at
    assert taken_at is not None
    open_, close = candles.open.tolist(), candles.close.tolist()
    high, low = candles.high.tolist(), candles.low.tolist()
    index = _reclaimed_at(close, pool.price, taken_at, reclaim_candles)
    assert index is not None
    extreme = max(range(taken_at, index + 1), key=high.__getitem__)
    volume_spike = max(relvol[taken_at : index + 1]) > SPIKE_RELVOL
    wick = share(high[extreme] - max(open_[extreme], close[extreme]), high[extreme] - low[extreme])
    return LiquiditySweep(
        index=index,
        taken_at=taken_at,
        direction=Bias.BEARISH,
        price=pool.price,
        kind=pool.kind,
        penetration=high[extreme] - pool.price,
        volume_spike=volume_spike,
        wick=wick,
        score=sweep_score(
            same_candle=index == taken_at,
            volume_spike=volume_spike,
            wick=wick,
            strong_pool=pool.touches >= EQUAL_TOUCHES or pool.kind is not PoolKind.SWING,
        ),
    )
