"""A violation of the track record's promise, and reading a row that may hold anything."""

from collections.abc import Callable
from typing import TypeVar

#: What reading a value raises where a row or a file holds something else.
UNREADABLE = (KeyError, ValueError, TypeError, ArithmeticError)

_Row = TypeVar("_Row")
_Value = TypeVar("_Value")


class Violation(Exception):  # noqa: N818 - what it is
    """The first place where the track record does not hold, in one sentence."""


def read_value(named: str, read: Callable[[_Row], _Value], row: _Row) -> _Value:
    """Return ``read(row)``; raise `Violation` with the row's name where it holds something else."""
    try:
        return read(row)
    except UNREADABLE as error:
        raise Violation(f"{named} holds what nobody writes there: {error}.") from None
