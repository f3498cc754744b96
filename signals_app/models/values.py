"""How the core's values lie in columns: which column holds which field follows from the names.

A field `x` lies in the column `x`, a moment `x_ms` in the time `x`. Prices, money and ratios that
the core has as floats become exact decimals of the column's places; kinds become their text, nested
values JSON. So a new field takes two edits: the dataclass and the column.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeAlias

import msgspec
from django.db import models

from signals_app.market.calendar import milliseconds, utc
from signals_app.market.encoding import Value, type_hints, without_none
from signals_app.market.instrument import PRICE_DECIMALS, as_decimal
from signals_app.market.rounding import rounded

_Convert = Callable[[Any], Any]
#: Keys, what gets as many values at once, and the conversions of some of them.
_Plan: TypeAlias = tuple[tuple[str, ...], _Convert, tuple[tuple[str, _Convert], ...]]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ValueColumns(Generic[Value]):
    """Where a model keeps the fields of one kind of value; an attribute of the model's class.

    ``names`` has the columns of fields that are called otherwise there, ``parts`` the fields whose
    values lie in several columns.
    """

    _model: type[models.Model]

    def __init__(
        self,
        kind: type[Value],
        *,
        names: Mapping[str, str] = _NOTHING,
        parts: "Mapping[str, ValueColumns[Any]]" = _NOTHING,
    ) -> None:
        self._kind, self._parts = kind, parts
        #: The columns of fields that are called otherwise there.
        self.names = names

    def __set_name__(self, model: type[models.Model], name: str) -> None:
        """Belong to the model; its columns are looked at when the first value is read or kept."""
        self._model = model
        for part in self._parts.values():
            part.__set_name__(model, name)

    def value(self, row: models.Model) -> Value:
        """The value of a row.

        Raises `ValueError`, `TypeError` or `ArithmeticError` where a column holds something else.
        """
        names, held, conversions = self._reading
        read = dict(zip(names, held(row), strict=True))
        for name, convert in conversions:
            read[name] = convert(read[name])
        for name, part in self._parts.items():
            read[name] = part.value_if_any(row)
        return self._kind(**read)

    def value_if_any(self, row: models.Model) -> Value | None:
        """The value of a row, `None` where one of the columns that it needs is null."""
        if any(getattr(row, column) is None for column in self._needed):
            return None
        return self.value(row)

    def of(self, value: Value | None) -> dict[str, Any]:
        """What the columns hold of a value; nulls where it is `None`."""
        columns, fields_of, conversions = self._writing
        if value is None:
            return dict.fromkeys(columns)
        held = dict(zip(columns, fields_of(value), strict=True))
        for column, convert in conversions:
            held[column] = convert(held[column])
        for name, part in self._parts.items():
            held |= part.of(getattr(value, name))
        return held

    @cached_property
    def _pairs(self) -> "tuple[tuple[str, Any, models.Field[Any, Any]], ...]":
        """Each field by name and type, with its column."""
        columns = {column.attname: column for column in self._model._meta.concrete_fields}
        hints = type_hints(self._kind)  # type: ignore[arg-type]
        return tuple(
            (name, hints[name], self._column(name, columns))
            for name in (one.name for one in fields(self._kind))  # type: ignore[arg-type]
            if name not in self._parts
        )

    def _column(
        self, name: str, columns: "Mapping[str, models.Field[Any, Any]]"
    ) -> "models.Field[Any, Any]":
        wanted = self.names.get(name, name if name in columns else name.removesuffix("_ms"))
        if wanted not in columns:
            raise TypeError(
                f"{self._model.__name__} has no column for {self._kind.__name__}.{name}."
            )
        return columns[wanted]

    @cached_property
    def _reading(self) -> _Plan:
        """The fields, what gets their columns of a row, and which of these need converting."""
        readers = [(name, _reader(hint, column)) for name, hint, column in self._pairs]
        return (
            tuple(name for name, _ in readers),
            attrgetter(*(column.attname for _, _, column in self._pairs)),
            tuple((name, read) for name, read in readers if read is not None),
        )

    @cached_property
    def _writing(self) -> _Plan:
        """The columns, what gets their fields of a value, and which of these need converting."""
        writers = [(column.attname, _writer(hint, column)) for _, hint, column in self._pairs]
        return (
            tuple(column for column, _ in writers),
            attrgetter(*(name for name, _, _ in self._pairs)),
            tuple((column, write) for column, write in writers if write is not None),
        )

    @cached_property
    def _needed(self) -> Iterable[str]:
        return tuple(col.attname for _, hint, col in self._pairs if not without_none(hint)[1])


def _reader(hint: Any, column: "models.Field[Any, Any]") -> _Convert | None:
    """What makes a field of a column's content, `None` where it is the field."""
    needed, may_be_none = without_none(hint)
    if isinstance(column, models.JSONField):
        return lambda held: msgspec.convert(held, hint)
    if isinstance(column, models.DateTimeField):
        read: _Convert = milliseconds
    elif needed is float and isinstance(column, models.DecimalField | models.IntegerField):
        read = float
    elif isinstance(needed, type) and issubclass(needed, Enum):
        # A text column has no null: nothing is the empty text.
        return (lambda held: needed(held) if held else None) if may_be_none else needed
    else:
        return None
    return (lambda held: None if held is None else read(held)) if may_be_none else read


def _writer(hint: Any, column: "models.Field[Any, Any]") -> _Convert | None:
    """What makes a column's content of a field, `None` where it is the field."""
    needed, may_be_none = without_none(hint)
    if isinstance(column, models.JSONField):
        return _builtins
    if isinstance(column, models.DateTimeField):
        write: _Convert = utc
    elif needed is float and isinstance(column, models.DecimalField):
        write = _decimals(column.decimal_places or 0)
    elif needed is float and isinstance(column, models.IntegerField):
        write = round
    elif isinstance(needed, type) and issubclass(needed, Enum):
        nothing = None if column.null else ""
        return lambda value: nothing if value is None else value.value
    else:
        return None
    return (lambda value: None if value is None else write(value)) if may_be_none else write


def _decimals(places: int) -> _Convert:
    if places == PRICE_DECIMALS:
        return as_decimal
    step = Decimal(1).scaleb(-places)
    return lambda number: rounded(Decimal(repr(number)), step, ROUND_HALF_EVEN)


def _builtins(value: Any) -> Any:
    plain = msgspec.to_builtins(value)
    return list(plain) if isinstance(plain, tuple) else plain
