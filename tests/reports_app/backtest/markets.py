"""A market that wanders, the same one every time."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from signals_app.market.calendar import milliseconds
from signals_app.market.tick import Ticks, quantise_all

#: A Monday, two hours after the week's first day began.
MONDAY_MS = milliseconds(datetime(2024, 1, 8, tzinfo=UTC))
_SECOND = 1000


def wandering_ticks(days: int = 5, *, seconds: int = 60, seed: int = 7) -> Ticks:
    """Ticks of `days` week days from Monday on, trending now up, now down."""
    generator = np.random.default_rng(seed)
    count = days * 86_400 // seconds
    trend = np.repeat(generator.normal(0, 0.02, count // 240 + 1), 240)[:count]
    bid = 2000 + np.cumsum(trend + generator.normal(0, 0.25, count))
    time_ms = MONDAY_MS + np.arange(count, dtype=np.int64) * seconds * _SECOND + 137
    return Ticks(1, time_ms, quantise_all(bid), quantise_all(bid + 0.2))


def cut(ticks: Ticks, *places: int) -> list[Ticks]:
    """The same ticks in several batches."""
    edges = [0, *places, len(ticks)]
    return [ticks.part(start, stop) for start, stop in pairwise(edges)]
