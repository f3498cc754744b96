"""A trial: one setting tried on a file, and the plain figures of the trades it made."""

import math
from dataclasses import dataclass

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Float64s, Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One setting's closed trades in order of opening: when (Unix ms) and their R multiples."""

    parameters: Parameters
    opened_ms: Int64s
    closed_ms: Int64s
    r: Float64s


@dataclass(frozen=True, slots=True)
class Figures:
    """How many trades, their mean R (`None` without any), and `t`: that in standard errors."""

    trades: int
    r: float | None
    t: float


def figures(r: Float64s) -> Figures:
    """The figures of these R multiples; `t` is 0 for fewer than two or if all are equal."""
    count = len(r)
    if count < 2:
        return Figures(count, float(r[0]) if count else None, 0.0)
    deviation = float(r.std(ddof=1))
    mean = float(r.mean())
    return Figures(count, mean, mean / (deviation / math.sqrt(count)) if deviation else 0.0)
