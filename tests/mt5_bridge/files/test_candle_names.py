"""What the names of history files say."""

import pytest

from signals_app.importers.history_names import HistoryName, parse_history_name
from signals_app.market.candle import TIMEFRAMES


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_every_analysed_timeframe_can_be_named(timeframe: str) -> None:
    assert parse_history_name(f"XAUUSD_{timeframe}.csv") == HistoryName("XAUUSD", timeframe)


@pytest.mark.parametrize("name", ["EURUSD_H1.csv.gz", "EURUSD_H1_2025_UTC.csv"])
def test_more_may_stand_behind_and_the_file_may_be_packed(name: str) -> None:
    assert parse_history_name(name) == HistoryName("EURUSD", "H1")


@pytest.mark.parametrize(
    "name", ["XAUUSD_M1.csv", "XAUUSD_H12.csv", "xauusd_H1.csv", "XAUUSD.csv", "XAUUSD_H1.txt"]
)
def test_other_names_are_no_histories(name: str) -> None:
    assert parse_history_name(name) is None
