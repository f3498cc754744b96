"""The settings that a search tries: the ranges of its parameters, whole or a sample of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from reports_app.backtest.market_files import BadInput
from signals_app.confluence.limits import BadParameter, changed, check_value, read_value
from signals_app.confluence.parameters import Parameters

#: The values of each parameter that may be tried; `None` is "never" where a limit may be left out.
Ranges = Mapping[str, Sequence[float | None]]
#: Combinations above which a whole grid needs to be asked for by name.
_WHOLE_GRID = 500
#: Of one parameter.
_MOST_VALUES = 10_000


def read_range(text: str) -> tuple[str, tuple[float | None, ...]]:
    """Read NAME=LOW:HIGH:STEP (both ends belong to it) or NAME=A,B,C; raises `BadParameter`."""
    name, _, values = text.partition("=")
    try:
        found = tuple(dict.fromkeys(_values(name, values)))
        for value in found:
            check_value(name, value)
    except BadParameter:
        raise
    except ValueError:
        raise BadParameter(f"{text!r} is neither NAME=LOW:HIGH:STEP nor NAME=A,B,C.") from None
    return name, found


def candidates(
    base: Parameters, ranges: Ranges, *, count: int | None, seed: int
) -> list[Parameters]:
    """Choose the settings to try: ``count`` of them at random, or all where it is `None`.

    Raises `BadInput` where all are too many, and `BadParameter` as `grid` does.
    """
    if count is not None:
        return sample(base, ranges, count, seed=seed)
    size = math.prod(len(values) for values in ranges.values())
    if size > _WHOLE_GRID:
        raise BadInput(f"The ranges have {size:,} combinations; choose among them with --random N.")
    return grid(base, ranges)


def grid(base: Parameters, ranges: Ranges) -> list[Parameters]:
    """Combine all values of the ranges, ``base`` first.

    Combinations that contradict themselves are left out. Raises `BadParameter` where none is left.
    """
    return _possible(
        base, (dict(zip(ranges, values, strict=True)) for values in product(*ranges.values()))
    )


def sample(base: Parameters, ranges: Ranges, count: int, *, seed: int) -> list[Parameters]:
    """Choose at most ``count`` combinations at random, the same for a seed, ``base`` first.

    Those that contradict themselves are left out. Raises `BadParameter` where none is left.
    """
    sizes = [len(values) for values in ranges.values()]
    whole = math.prod(sizes)
    generator = np.random.default_rng(seed)
    places = generator.choice(whole, min(count, whole), replace=False)
    every = [np.unravel_index(place, sizes) for place in places.tolist()]
    return _possible(
        base,
        (
            {name: values[int(i)] for (name, values), i in zip(ranges.items(), at, strict=True)}
            for at in every
        ),
    )


def _possible(base: Parameters, wanted: Iterable[Mapping[str, Any]]) -> list[Parameters]:
    found: list[Parameters] = []
    refusal: BadParameter | None = None
    for values in wanted:
        try:
            found.append(changed(base, values))
        except BadParameter as bad:
            refusal = bad
    if not found and refusal is not None:
        raise refusal
    return list(dict.fromkeys([base, *found]))


def _values(name: str, text: str) -> list[float | None]:
    if ":" not in text:
        return [read_value(name, part) for part in text.split(",")]
    low, high, step = (float(part) for part in text.split(":"))
    check_value(name, low)
    check_value(name, high)
    # Not a number is not above zero either.
    if not step > 0 or high < low:
        raise ValueError(text)
    steps = (high - low) / step + 1e-9
    if steps >= _MOST_VALUES:
        raise BadParameter(f"{name}={text} has too many values; {_MOST_VALUES:,} at most will do.")
    # Ten decimals: steps of 0.1 do not add up exactly.
    return [round(low + place * step, 10) for place in range(int(steps) + 1)]
