"""One row a symbol, one prefix a row."""

import pytest
from django.db import IntegrityError, transaction

from signals_app.models import Instrument
from signals_app.services.instruments import ensure_instrument, free_prefix, other_spellings

pytestmark = pytest.mark.django_db


def test_a_built_in_instrument_is_made_as_it_is_known() -> None:
    Instrument.objects.filter(symbol="USDCAD").delete()

    assert ensure_instrument("USDCAD").signal_prefix == "CAD"
    assert ensure_instrument("XAUUSD") == Instrument.objects.get(symbol="XAUUSD")


def test_symbols_that_begin_alike_get_prefixes_of_their_own() -> None:
    made = [ensure_instrument(f"GERMANY40{end}") for end in ("", ".cash", ".x")]

    assert [row.signal_prefix for row in made] == ["GERMANY4", "GERMANY2", "GERMANY3"]
    assert free_prefix("xau") == "xau2"
    assert free_prefix("NEW") == "NEW"


def test_spellings_are_told_apart_by_case_alone() -> None:
    assert other_spellings(["xauusd", "XAUUSD", "eurusd", "NEW"]) == {
        "xauusd": "XAUUSD",
        "eurusd": "EURUSD",
    }


@pytest.mark.parametrize(
    ("symbol", "prefix", "constraint"),
    [
        ("xauusd", "ANY", "one_instrument_per_symbol"),
        ("XAUEUR", "XAU", "one_instrument_per_prefix"),
        ("XAUEUR", "xau", "one_instrument_per_prefix"),
    ],
)
def test_the_database_refuses_a_second_spelling_and_a_second_prefix(
    symbol: str, prefix: str, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Instrument.objects.create(
            symbol=symbol,
            pip=0.1,
            contract_size=100,
            digits=2,
            signal_prefix=prefix,
            default_spread=0.3,
        )
