"""No rounded figure is a negative zero."""

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.encoding import as_json, from_json
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, quantise
from signals_app.market.rounding import (
    drop_signs_of_zero,
    rounded,
    rounded_float,
    unsigned_zero,
    unsigned_zero_float,
    unsigned_zeros,
)
from signals_app.market.tick import quantise_all

D = Decimal
#: Numbers at and around zero, and others.
amounts = st.one_of(
    st.sampled_from([D("0.00"), D("-0.00"), D("-0"), D("0.004"), D("-0.004"), D("-0.005")]),
    st.decimals(min_value=-1, max_value=1, places=5),
    st.decimals(min_value=-100_000, max_value=100_000, places=5),
)


@dataclass(frozen=True, slots=True)
class Figures:
    amount: Decimal
    share: float
    all: tuple[float, ...]

    def __post_init__(self) -> None:
        drop_signs_of_zero(self, "amount")


def is_negative_zero(number: float | Decimal) -> bool:
    return not number and math.copysign(1, number) < 0


@given(amounts, st.sampled_from([D("0.01"), D("0.00001"), D(1)]))
def test_rounding_is_that_of_decimals_without_the_sign_of_zero(
    amount: Decimal, step: Decimal
) -> None:
    result = rounded(amount, step)

    assert result == amount.quantize(step, "ROUND_HALF_UP")
    assert not is_negative_zero(result)
    assert not is_negative_zero(rounded_float(float(amount), 2))


@given(amounts)
def test_what_is_no_zero_keeps_its_sign_and_its_decimals(amount: Decimal) -> None:
    assert str(unsigned_zero(amount)) == (str(amount) if amount else str(abs(amount)))
    assert unsigned_zero_float(float(amount)) == float(amount)


@given(amounts)
def test_values_hold_print_and_read_no_negative_zero(amount: Decimal) -> None:
    value = Figures(amount, float(amount), (float(amount), -0.0))

    printed = json.dumps(as_json(value))

    assert not re.search(r"-0\.0\b(?!\d)", printed)
    assert not is_negative_zero(value.amount)
    assert not is_negative_zero(from_json(Figures, {**as_json(value), "amount": -0.0}).amount)


@given(amounts)
def test_prices_and_pips_are_rounded_without_it(amount: Decimal) -> None:
    number = float(amount)
    for instrument in DEFAULT_INSTRUMENTS:
        assert not is_negative_zero(instrument.pips(number))
    assert not is_negative_zero(quantise(number))
    (in_array,) = quantise_all(np.array([number])).tolist()
    assert str(in_array) == str(quantise(number))


def test_json_of_any_depth_loses_it() -> None:
    found = unsigned_zeros({"a": [-0.0, {"b": (-0.0, 1, None, "-0.0", -0.5)}], "c": -0.0})

    assert json.dumps(found) == '{"a": [0.0, {"b": [0.0, 1, null, "-0.0", -0.5]}], "c": 0.0}'


@pytest.mark.parametrize("package", ["signals_app", "trades_app", "reports_app", "goldtrader"])
def test_figures_with_a_sign_are_formatted_without_that_of_zero(package: str) -> None:
    """Python's `z` does it: `f"{-0.004:+z.2f}"` is `+0.00`."""
    root = Path(__file__).parents[3] / package
    without = [
        f"{file.relative_to(root.parent)}:{number}"
        for file in sorted(root.rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\{[^{}]*:\+,?\.\d+f\}", line)
    ]

    assert not without, f"write :+z. there: {', '.join(without)}"
