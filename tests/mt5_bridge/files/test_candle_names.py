"""What the names of candle files say."""

from pathlib import Path

import pytest

from mt5_bridge.files.candle_names import (
    ALL_LENGTHS,
    ANALYSED,
    CandleName,
    parse_candle_name,
    two_of_one,
)
from signals_app.market.candle import TIMEFRAMES, Timeframe


def test_the_names_are_those_of_the_timeframes() -> None:
    assert tuple(Timeframe) == ALL_LENGTHS
    assert TIMEFRAMES == ANALYSED


@pytest.mark.parametrize("timeframe", ANALYSED)
def test_every_analysed_timeframe_can_be_named(timeframe: str) -> None:
    assert parse_candle_name(f"XAUUSD_{timeframe}.csv") == CandleName("XAUUSD", timeframe)


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("EURUSD_H1.csv.gz", None),
        ("EURUSD_H1_2025_UTC.csv", "utc"),
        ("EURUSD_H1_2025_SERVER-EU.csv.gz", "server-eu"),
        ("EURUSD_H1_SERVER-US.csv", "server-us"),
        ("EURUSD_H1_SERVER-EU_2025.csv", None),
    ],
)
def test_more_may_stand_behind_and_a_clock_at_the_end(name: str, clock: str | None) -> None:
    assert parse_candle_name(name) == CandleName("EURUSD", "H1", clock)


@pytest.mark.parametrize(
    "name", ["XAUUSD_M1.csv", "XAUUSD_H12.csv", "xauusd_H1.csv", "XAUUSD.csv", "XAUUSD_H1.txt"]
)
def test_other_names_are_no_histories(name: str) -> None:
    assert parse_candle_name(name) is None


def test_other_timeframes_are_read_where_they_are_asked_for() -> None:
    assert parse_candle_name("GBPUSD_D1.csv", ALL_LENGTHS) == CandleName("GBPUSD", "D1")


def test_two_files_of_one_timeframe_are_found() -> None:
    paths = [Path(name) for name in ("XAUUSD_H1.csv", "XAUUSD_H4.csv", "EURUSD_H1.csv", "a.txt")]
    assert two_of_one(paths) is None
    assert two_of_one([*paths, Path("XAUUSD_H4_UTC.csv")]) == (paths[1], Path("XAUUSD_H4_UTC.csv"))
