"""Which histories there are, in files and in the database, and how they are read."""

from pathlib import Path

import pytest

from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.candle_series import CandlePath
from signals_app.market.candle import Candle, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.market.symbols import UnknownSymbol
from signals_app.models import Connector, PriceCandle, StreamPosition
from signals_app.services.instruments import ensure_instrument
from signals_app.services.price_history import (
    SimulatedHistory,
    histories_of_database,
    histories_of_files,
    known_symbol,
)

KNOWN = {one.symbol: one for one in DEFAULT_INSTRUMENTS}
HOUR_MS = 3_600_000


def store(symbol: str, timeframe: Timeframe, count: int) -> None:
    candles = [Candle(hour * HOUR_MS, 10.0, 11.0, 9.0, 10.5, 5.0) for hour in range(count)]
    PriceCandle.objects.bulk_create(
        PriceCandle.of(symbol, timeframe, candles, PriceCandle.Source.HISTORY)
    )


def test_files_are_grouped_by_market_shorter_timeframes_first() -> None:
    four, hour, more = (
        CandlePath(Path(name), "XAUUSD", timeframe, "utc")
        for name, timeframe in (
            ("a", Timeframe.H4),
            ("b", Timeframe.H1),
            ("c", Timeframe.H1),
        )
    )
    euro = CandlePath(Path("d"), "EURUSD", Timeframe.M15, "utc")

    found = histories_of_files([four, hour, more, euro], KNOWN)

    assert [(one.name, one.paths) for one in found] == [
        ("EURUSD M15", (euro,)),
        ("XAUUSD H1", (hour, more)),
        ("XAUUSD H4", (four,)),
    ]


def test_a_file_of_an_unknown_symbol_is_refused_by_name() -> None:
    path = CandlePath(Path("x.csv"), "AUDNZD", Timeframe.H1, "utc")

    with pytest.raises(MarketFileError, match=r"x\.csv holds AUDNZD, which is no instrument here"):
        histories_of_files([path], KNOWN)


@pytest.mark.django_db
def test_the_database_has_a_history_for_each_market_that_is_decided_on() -> None:
    store("XAUUSD", Timeframe.H1, 300)
    store("XAUUSD", Timeframe.M5, 300)
    store("EURUSD", Timeframe.M15, 299)
    store("UNKNOWN", Timeframe.H1, 300)

    short, gold = histories_of_database()

    assert (short.name, gold.name) == ("EURUSD M15", "XAUUSD H1")
    (run,) = gold.read().runs
    assert (run.name, len(run)) == ("the database's XAUUSD H1", 300)
    assert set(run.spread.tolist()) == {KNOWN["XAUUSD"].default_spread}
    assert short.read().left_out == (
        "the database's EURUSD M15 holds 299 candles; at least 300 are needed.",
    )
    assert [one.name for one in histories_of_database("XAUUSD", Timeframe.H1)] == ["XAUUSD H1"]
    assert [one.name for one in histories_of_database("xauusd", Timeframe.H1)] == ["XAUUSD H1"]
    assert histories_of_database("XAUUSD", Timeframe.H4) == []


@pytest.mark.django_db
def test_a_symbol_is_found_in_whatever_letters_and_refused_where_there_is_none() -> None:
    ensure_instrument("EURUSDm")

    assert known_symbol(None) is None
    assert (known_symbol("xauusd"), known_symbol("EURUSDm")) == ("XAUUSD", "EURUSDm")
    with pytest.raises(UnknownSymbol, match="XAUUDS is no instrument"):
        known_symbol("xauuds")


@pytest.mark.django_db
def test_made_up_candles_are_no_history() -> None:
    store("XAUUSD", Timeframe.H1, 300)
    Connector.objects.create(name="paper-simulated", symbols=["XAUUSD"])
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"paper-simulated": 7})

    with pytest.raises(SimulatedHistory, match="candles of XAUUSD were made up"):
        histories_of_database()
