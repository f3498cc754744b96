"""Values as JSON and back: prices, money and sizes are numbers, times ISO 8601 UTC text.

A field `x_ms` is printed as `x`, everything else under its own name, in the order of the fields.
Exports, the API and the hash chain start here, so that a new field of a value is printed everywhere
without being named again. What a row keeps for this product alone, a message's data and a trade
made in shadow, is msgspec's form instead: docs/decisions/0006 has the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from signals_app.market.calendar import iso, milliseconds
from signals_app.market.rounding import unsigned_zero, unsigned_zero_float

#: Metadata of a field that is no part of what is printed: `field(metadata=INTERNAL)`.
INTERNAL: Mapping[str, Any] = MappingProxyType({"internal": True})

Value = TypeVar("Value")
_Convert = Callable[[Any], Any]


def as_json(value: Any, *, internal: bool = False) -> dict[str, Any]:
    """A dataclass as JSON; its `INTERNAL` fields only with ``internal``."""
    keys, fields_of, conversions = _printing(type(value), internal)  # type: ignore[arg-type]
    printed = dict(zip(keys, fields_of(value), strict=True))
    for key, write in conversions:
        printed[key] = write(printed[key])
    return printed


def keys_of(kind: type[Any]) -> tuple[str, ...]:
    """What `as_json` prints of a kind of value, in order."""
    return _printing(kind, False)[0]  # type: ignore[arg-type]


def from_json(kind: type[Value], printed: Mapping[str, Any]) -> Value:
    """The ``kind`` that `as_json` printed; keys that are no field of it are passed over.

    A number may have lost its point on the way. Raises `KeyError`, `ValueError`, `TypeError` or
    `ArithmeticError` where ``printed`` is something else.
    """
    readers = _readers(kind)  # type: ignore[arg-type]
    return kind(**{name: read(printed[key]) for name, key, read in readers})


@cache
def type_hints(kind: Any) -> Mapping[str, Any]:
    """The types of a dataclass's fields by name."""
    return MappingProxyType(get_type_hints(kind))


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its `None`, and whether it had one."""
    if get_origin(hint) is not UnionType:
        return hint, False
    (only,) = (each for each in get_args(hint) if each is not NoneType)
    return only, True


@cache
def _printing(
    kind: Any, internal: bool
) -> tuple[tuple[str, ...], _Convert, tuple[tuple[str, _Convert], ...]]:
    """The keys, what gets all their fields, and the conversions of some of them."""
    hints = type_hints(kind)
    names = [one.name for one in fields(kind) if internal or not one.metadata.get("internal")]
    keys = tuple(name.removesuffix("_ms") for name in names)
    writers = (_writer(name, hints[name]) for name in names)
    return (
        keys,
        attrgetter(*names),
        tuple((key, write) for key, write in zip(keys, writers, strict=True) if write is not None),
    )


def _writer(name: str, hint: Any) -> _Convert | None:
    """What prints a field, `None` where it is printed as it is."""
    needed, may_be_none = without_none(hint)
    write = iso if name.endswith("_ms") else _writer_of(needed)
    if write is None or not may_be_none:
        return write
    return lambda value: None if value is None else write(value)


def _writer_of(hint: Any) -> _Convert | None:
    if hint is Decimal:
        return lambda amount: unsigned_zero_float(float(amount))
    if hint is float:
        return unsigned_zero_float
    if get_origin(hint) is tuple:
        write = _writer_of(get_args(hint)[0])
        return list if write is None else lambda values: [write(each) for each in values]
    if issubclass(hint, Enum):
        return attrgetter("value")
    return as_json if is_dataclass(hint) else None


@cache
def _readers(kind: Any) -> tuple[tuple[str, str, _Convert], ...]:
    hints = type_hints(kind)
    return tuple(
        (one.name, one.name.removesuffix("_ms"), _reader(one.name, hints[one.name]))
        for one in fields(kind)
    )


def _reader(name: str, hint: Any) -> _Convert:
    needed, may_be_none = without_none(hint)
    read = _milliseconds if name.endswith("_ms") else _reader_of(needed)
    return (lambda printed: None if printed is None else read(printed)) if may_be_none else read


def _reader_of(hint: Any) -> _Convert:
    if hint is Decimal:
        return lambda printed: unsigned_zero(Decimal(str(printed)))
    if hint is float:
        return lambda printed: float(printed) if isinstance(printed, int) else printed
    if get_origin(hint) is tuple:
        read = _reader_of(get_args(hint)[0])
        return lambda printed: tuple(map(read, printed))
    if hint is int or issubclass(hint, Enum):
        return hint  # type: ignore[no-any-return]
    if is_dataclass(hint):
        return lambda printed: from_json(hint, printed)  # type: ignore[arg-type]
    return lambda printed: printed


def _milliseconds(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))
