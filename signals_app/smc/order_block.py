"""Order blocks: the last opposite candle before a strong move away."""

from dataclasses import dataclass

from signals_app.smc.measures import Bias


@dataclass(frozen=True, slots=True)
class OrderBlock:
    """The candle `index` as a zone, known at `confirmed_at` when the move away was strong enough.

    `score` ranks by convention and is no probability. `touched_at` and `invalidated_at` are the
    first candles back into the zone and closed beyond it, `None` where none came yet.
    """

    index: int
    confirmed_at: int
    direction: Bias
    top: float
    bottom: float
    high_volume: bool
    rejection: bool
    near_round: bool
    has_fvg: bool
    score: float
    touched_at: int | None
    invalidated_at: int | None
