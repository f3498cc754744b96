from pathlib import Path

import pytest

from mt5_bridge.files.broker_time import SERVER_EU, UTC_CLOCK, clock_named
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import describe_times, parse_header
from mt5_bridge.files.text_files import Header

PATH = Path("XAUUSD.csv")
CANDLES = "timestamp,open,high,low,close,spread"


def layout(text, line=1):
    return parse_header(PATH, Header(line, text))


def test_a_column_of_dates_may_stand_beside_a_clocks_time_of_day():
    found = layout("Date,Time (EET),Bid,Ask")
    assert (found.time_columns, found.clock) == ([0, 1], clock_named("EET"))
    assert layout("<DATE>,<TIME>,<BID>,<ASK>").clock is None


def test_columns_are_found_by_every_name_that_they_go_by():
    for header in ("time_msc,bid,ask", "timestamp_ms;bid;ask", "<TIMESTAMP_MS>\t<BID>\t<ASK>"):
        found = layout(header)
        assert found.columns == {"timestamp_ms": 0, "bid": 1, "ask": 2}
        assert not found.is_candles
    assert layout(CANDLES).is_candles
    assert layout('"Timestamp"|"askPrice"|"bidPrice"').columns == {
        "timestamp": 0,
        "ask": 1,
        "bid": 2,
    }


def test_metatraders_export_has_date_and_time_and_ticks_for_volume():
    found = layout(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>", line=3
    )
    assert (found.delimiter, found.width, found.header_line) == ("\t", 9, 3)
    assert (found.time_columns, found.volume_column) == ([0, 1], 6)


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("Gmt time", UTC_CLOCK),
        ("Time (UTC)", UTC_CLOCK),
        ("time_utc", UTC_CLOCK),
        ("Time (EET)", clock_named("EET")),
        ("Local time", None),
        ("time", None),
        ("timestamp_ms", None),
    ],
)
def test_a_header_may_name_its_clock(name, clock):
    assert layout(f"{name},Open,High,Low,Close").clock == clock
    assert layout(f"{name},Ask,Bid").clock == clock


def test_a_header_without_time_or_prices_is_refused():
    for header in ("bid,ask", "timestamp_ms,bid", "timestamp,open,high,low", "1,2,3"):
        with pytest.raises(MarketFileError, match="the header must be"):
            layout(header)


def test_a_column_that_is_named_twice_is_refused():
    with pytest.raises(MarketFileError, match="line 1 names the column close twice"):
        layout("timestamp,open,high,low,close,close")


@pytest.mark.parametrize(
    ("header", "clock", "first", "sentence"),
    [
        ("timestamp,bid,ask", SERVER_EU, "2024-01-05T12:00:00Z", "as their own zone says"),
        ("timestamp,bid,ask", SERVER_EU, "2024-01-05 12:00", "European dates (Europe/Athens)"),
        ("Gmt time,bid,ask", SERVER_EU, "2024-01-05 12:00", "times are taken for UTC"),
        ("timestamp_ms,bid,ask", UTC_CLOCK, "1704456000", "times are Unix seconds, UTC"),
    ],
)
def test_the_description_says_what_was_assumed(header, clock, first, sentence):
    assert sentence in describe_times(layout(header), clock, first)
