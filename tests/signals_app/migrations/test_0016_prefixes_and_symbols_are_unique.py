"""Rows that collide are separated, or the migration says what to do."""

import importlib

import pytest
from django.apps import apps
from django.core.management.base import CommandError
from django.db import connection

from signals_app.models import Instrument, StreamPosition
from tests.trades_app.rows import stored_signal

pytestmark = pytest.mark.django_db

MIGRATION = importlib.import_module("signals_app.migrations.0016_prefixes_and_symbols_are_unique")


@pytest.fixture(autouse=True)
def without_constraints(db: None) -> None:
    """The table as it was before; the test's transaction puts it back."""
    with connection.cursor() as cursor:
        for name in ("one_instrument_per_symbol", "one_instrument_per_prefix"):
            cursor.execute(f"DROP INDEX {name}")


def add(symbol: str, prefix: str) -> None:
    sizes = {"pip": 0.1, "contract_size": 100, "digits": 2, "default_spread": 0.3}
    Instrument.objects.create(symbol=symbol, signal_prefix=prefix, **sizes)


def prefixes() -> dict[str, str]:
    return dict(Instrument.objects.order_by("symbol").values_list("symbol", "signal_prefix"))


def test_who_has_signals_keeps_the_prefix() -> None:
    stored_signal()
    add("AUUSD.x", "XAU")
    add("ZAUUSD.longer", "xau")

    MIGRATION.separate(apps, None)

    assert prefixes() == {
        "AUUSD.x": "AUUSD.x",
        "EURUSD": "EUR",
        "GBPUSD": "GBP",
        "USDCAD": "CAD",
        "XAUUSD": "XAU",
        "ZAUUSD.longer": "ZAUUSD.l",
    }


def test_a_second_spelling_without_data_goes() -> None:
    add("xauusd", "GOLD")
    StreamPosition.objects.create(instrument="xauusd")

    MIGRATION.separate(apps, None)

    assert "XAUUSD" not in prefixes()
    assert prefixes()["xauusd"] == "GOLD"


def test_two_spellings_with_data_stop_the_migration_with_a_sentence() -> None:
    add("xauusd", "GOLD")
    StreamPosition.objects.create(instrument="xauusd")
    StreamPosition.objects.create(instrument="XAUUSD")

    with pytest.raises(
        CommandError, match=r"^The instruments XAUUSD and xauusd are one symbol \(XAUUSD\)"
    ):
        MIGRATION.separate(apps, None)
