"""The door between pipeline and trades."""

import pytest

from signals_app.pipeline import ports
from tests.signals_app.pipeline.book import FakeBook
from trades_app.book import LiveBook


def test_the_trades_app_registers_its_book() -> None:
    assert isinstance(ports.trade_book(), LiveBook)


def test_another_book_takes_its_place_for_a_while() -> None:
    registered, fake = ports.trade_book(), FakeBook()

    with ports.replaced(fake):
        assert ports.trade_book() is fake

    assert ports.trade_book() is registered


def test_a_project_without_a_book_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_registered", [])

    with pytest.raises(ports.NoTradeBook, match="No app registered a trade book"):
        ports.trade_book()
