"""Values as JSON and back."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import pytest

from signals_app.market.encoding import INTERNAL, as_json, from_json, keys_of


class Fruit(StrEnum):
    APPLE = "APPLE"


@dataclass(frozen=True, slots=True)
class Leaf:
    price: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    fruit: Fruit
    height: float
    rings: int
    planted_ms: int
    felled_ms: int | None
    price: Decimal | None
    leaves: tuple[Leaf, ...]
    secret: int | None = field(default=None, metadata=INTERNAL)


TREE = Tree("oak", Fruit.APPLE, 3.0, 7, 1_704_465_000_400, None, None, (Leaf(Decimal("1.50"), 0),))
PRINTED = {
    "name": "oak",
    "fruit": "APPLE",
    "height": 3.0,
    "rings": 7,
    "planted": "2024-01-05T14:30:00.400Z",
    "felled": None,
    "price": None,
    "leaves": [{"price": 1.5, "time": "1970-01-01T00:00:00Z"}],
}


def test_fields_are_printed_in_order_and_times_without_their_unit() -> None:
    assert list(as_json(TREE).items()) == list(PRINTED.items())
    assert keys_of(Tree) == tuple(PRINTED)
    assert type(as_json(TREE)["fruit"]) is str


def test_internal_fields_are_printed_where_they_are_asked_for() -> None:
    assert as_json(TREE, internal=True) == {**PRINTED, "secret": None}


def test_what_was_printed_comes_back() -> None:
    assert from_json(Tree, {**PRINTED, "secret": None, "unknown": 1}) == TREE


def test_a_number_that_lost_its_point_is_a_float_again() -> None:
    read = from_json(Tree, {**PRINTED, "secret": None, "height": 3})

    assert type(read.height) is float


@pytest.mark.parametrize(
    "wrong",
    [{"fruit": "PEAR"}, {"planted": "yesterday"}, {"price": "cheap"}, {"rings": "many"}],
)
def test_what_is_no_such_value_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        from_json(Tree, {**PRINTED, "secret": None, **wrong})
    with pytest.raises(KeyError):
        from_json(Tree, {})
