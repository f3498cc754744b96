"""What connectors may be called."""

import pytest

from signals_app.connector_names import CONNECTOR_NAME, continues


@pytest.mark.parametrize("name", ["mt5", "mt5-london.2_b", "9", "m" * 64])
def test_letters_digits_and_what_stands_between_them_are_a_name(name: str) -> None:
    assert CONNECTOR_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "-mt5", "mt 5", "mt5\0", "mt5\n", "m" * 65, "\uff4dt5"])
def test_nothing_else_is_a_name(name: str) -> None:
    assert not CONNECTOR_NAME.fullmatch(name)


def test_a_name_continues_another_behind_a_dash_alone() -> None:
    assert continues("london-simulated", "london")
    assert not continues("london", "london")
    assert not continues("londoner", "london")
