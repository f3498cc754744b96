"""Liquidity: pools of resting orders beyond highs and lows, and the sweeps that take them."""

from dataclasses import dataclass
from enum import StrEnum

from signals_app.smc.measures import Bias


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


class Outcome(StrEnum):
    """What became of a taken pool: price came back, went on, or has not decided yet."""

    SWEEP = "sweep"
    RUN = "run"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class LiquidityPool:
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
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class LiquiditySweep:
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
