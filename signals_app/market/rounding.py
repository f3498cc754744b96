"""Rounding of figures: the one place that keeps a sign of zero out of results.

A loss smaller than half a step, or a SELL that ends where it began, comes out of `Decimal` and of
floats as -0. It equals 0, but it is printed, hashed and stored as something else: PostgreSQL keeps
no sign of zero, JSON does.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any


def unsigned_zero(amount: Decimal) -> Decimal:
    """``amount``, where it is -0 as 0 of the same exponent."""
    return amount or amount.copy_abs()


def unsigned_zero_float(number: float) -> float:
    """``number``, where it is -0.0 as 0.0."""
    return number or abs(number)


def rounded(amount: Decimal, step: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    """``amount`` in the decimals of ``step`` (0.01), halves away from zero; never -0."""
    return unsigned_zero(amount.quantize(step, rounding))


def rounded_float(number: float, decimals: int) -> float:
    """``number`` to so many decimals, halves to even; never -0.0."""
    return unsigned_zero_float(round(number, decimals))


def drop_signs_of_zero(value: object, *names: str) -> None:
    """Set these `Decimal` fields of a frozen dataclass to 0 where they are -0.

    For its `__post_init__`: what an earlier version stored as text may still hold one.
    """
    for name in names:
        amount: Decimal | None = getattr(value, name)
        if amount is not None and not amount and amount.is_signed():
            object.__setattr__(value, name, amount.copy_abs())


def unsigned_zeros(printed: Any) -> Any:
    """Plain JSON (dicts, lists, numbers, text) with 0.0 for each -0.0 in it, however deep."""
    if isinstance(printed, float):
        return unsigned_zero_float(printed)
    if isinstance(printed, dict):
        return {key: unsigned_zeros(each) for key, each in printed.items()}
    if isinstance(printed, list | tuple):
        return [unsigned_zeros(each) for each in printed]
    return printed
