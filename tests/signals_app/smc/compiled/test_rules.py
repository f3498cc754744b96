"""What the kernel looks up, and that no rule is left at a value of its own."""

from zoneinfo import ZoneInfo

import numpy as np

from signals_app.market.calendar import utc
from signals_app.smc import fair_value_gap, liquidity, measures, order_block, structure, swings
from signals_app.smc.compiled.rules import RULES, tables

#: Units that concepts import; the kernel writes them out.
UNITS = frozenset({"HOUR_MS"})
CONCEPTS = (measures, swings, fair_value_gap, order_block, structure, liquidity)
HOUR_MS = 3_600_000


def test_new_yorks_clock_is_known_to_the_hour() -> None:
    looked_up = tables()
    new_york = ZoneInfo("America/New_York")

    for since_ms, ahead_ms in zip(
        looked_up.since_ms[1:].tolist(), looked_up.ahead_ms[1:].tolist(), strict=True
    ):
        offsets = [
            utc(moment_ms).astimezone(new_york).utcoffset()
            for moment_ms in (since_ms - HOUR_MS, since_ms)
        ]
        before, after = (offset.total_seconds() * 1000 for offset in offsets)
        assert before != after == ahead_ms


def test_the_grids_of_round_numbers_ascend() -> None:
    steps = tables().round_steps

    assert np.all(np.diff(steps) > 0)
    assert steps.tolist() == measures.ROUND_STEPS


def test_every_number_of_the_concepts_reaches_the_kernel() -> None:
    numbers = sorted(
        value
        for concept in CONCEPTS
        for name, value in vars(concept).items()
        if name.isupper() and not name.startswith("_") and name not in UNITS
        if isinstance(value, int | float)
    )

    # The view's twenty candles are no concept's.
    assert numbers == sorted(RULES._replace(view_sweep_candles=None)[:-1])
