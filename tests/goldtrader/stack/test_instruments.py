"""The stack's own connector may send any instrument of the admin."""

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from goldtrader.models import ApiKey
from goldtrader.stack.errors import StackError
from goldtrader.stack.instruments import FeedInstrument, admit, missing_rate
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import AuditEntry, Connector, Instrument, PriceCandle

pytestmark = pytest.mark.django_db(transaction=True)


def database_url() -> str:
    """The test database, as psycopg takes it."""
    asked = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return make_conninfo(**{name: asked[name] for name in names if name in asked})


def make_audusd() -> None:
    Instrument.objects.create(
        symbol="AUDUSD",
        pip=0.0001,
        contract_size=100_000,
        digits=4,
        signal_prefix="AUD",
        default_spread=0.0002,
    )


@pytest.fixture
def key() -> ApiKey:
    made, _ = ApiKey.objects.create_key(
        name="embedded", scope=ApiKey.Scope.CONNECTOR, symbols=["XAUUSD"]
    )
    return made


def test_an_instrument_of_the_admin_is_let_in(key: ApiKey) -> None:
    make_audusd()

    for _ in range(2):
        assert admit(database_url(), "audusd") == FeedInstrument("AUDUSD", 4, 0.0002)

    key.refresh_from_db()
    assert key.symbols == ["XAUUSD", "AUDUSD"]


def test_the_stacks_own_connectors_may_send_it_too(key: ApiKey) -> None:
    make_audusd()
    Connector.objects.create(name="embedded", symbols=["XAUUSD"])
    Connector.objects.create(name="embedded-simulated", symbols=["XAUUSD"], owner="embedded")
    Connector.objects.create(name="mt5", symbols=["XAUUSD"])

    for _ in range(2):
        admit(database_url(), "AUDUSD")

    assert dict(Connector.objects.values_list("name", "symbols")) == {
        "embedded": ["XAUUSD", "AUDUSD"],
        "embedded-simulated": ["XAUUSD", "AUDUSD"],
        "mt5": ["XAUUSD"],
    }


def test_what_the_stack_allows_is_in_the_audit(key: ApiKey) -> None:
    make_audusd()

    admit(database_url(), "AUDUSD")

    entry = AuditEntry.objects.order_by("pk").last()
    assert (entry.door, entry.via, entry.subject) == (
        "system",
        "manage.py stack",
        f"embedded ({key.prefix})",
    )
    assert (entry.before, entry.after) == (
        {"symbols": ["XAUUSD"]},
        {"symbols": ["XAUUSD", "AUDUSD"]},
    )


def test_a_symbol_that_is_no_instrument_is_refused_in_a_sentence(key: ApiKey) -> None:
    with pytest.raises(StackError, match=r"^There is no instrument USDNOK: start with --feed none"):
        admit(database_url(), "USDNOK")


def test_a_built_in_instrument_is_let_in_before_it_has_a_row(key: ApiKey) -> None:
    assert admit(database_url(), "jp225") == FeedInstrument("JP225", 1, 8.0)

    key.refresh_from_db()
    assert key.symbols == ["XAUUSD", "JP225"]
    assert not Instrument.objects.filter(symbol="JP225").exists()


def test_a_feed_whose_money_nothing_exchanges_is_told() -> None:
    sentence = (
        "EURGBP is quoted in GBP, and there are no candles of GBPUSD: its signals are refused "
        "(NO_RATE) until that is fed, or its history is given by --history."
    )
    assert missing_rate(database_url(), "EURGBP") == sentence
    assert missing_rate(database_url(), "XAUUSD") == missing_rate(database_url(), "USDJPY") == ""

    candle = Candle(1_704_067_200_000, 1.27, 1.27, 1.27, 1.27, 1)
    PriceCandle.objects.bulk_create(
        PriceCandle.of("GBPUSD", Timeframe.H1, [candle], PriceCandle.Source.HISTORY)
    )
    assert missing_rate(database_url(), "EURGBP") == ""
    make_audusd()
    Instrument.objects.filter(symbol="AUDUSD").update(quote_currency="")
    assert missing_rate(database_url(), "AUDUSD").startswith("No signal of it can be sized: AUDUSD")
