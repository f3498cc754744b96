"""One market's history: checked against the grid, and built where a broker's clock made it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signals_app.importers.history_files import MarketFileError, read_history_files
from signals_app.market.calendar import iso
from signals_app.market.candle import Timeframe

MONDAY = datetime(2024, 1, 8, tzinfo=UTC)


def write(path: Path, hours: int, count: int) -> Path:
    """Candles as a MetaTrader server in Athens writes them: two hours ahead of UTC."""
    rows = [
        f"{MONDAY + timedelta(hours=hours * place):%Y.%m.%d %H:%M:%S},{10 + place},{12 + place},"
        f"{9 + place},{11 + place},5"
        for place in range(count)
    ]
    path.write_text("\n".join(["time,open,high,low,close,tick_volume", *rows, ""]))
    return path


def test_candles_of_a_brokers_clock_are_built_from_shorter_ones(tmp_path: Path) -> None:
    files = {
        Timeframe.H4: write(tmp_path / "XAUUSD_H4.csv", 4, 6),
        Timeframe.H1: write(tmp_path / "XAUUSD_H1.csv", 1, 24),
    }
    found = read_history_files(files, "server-eu")
    openings = [iso(time)[:13] for time in found.candles[Timeframe.H4].time_ms.tolist()]
    assert openings == [f"2024-01-08T{hour:02}" for hour in (0, 4, 8, 12, 16)]
    assert found.candles[Timeframe.H4][0].open == 12.0
    assert found.built_from == {Timeframe.H4: Timeframe.H1}
    assert found.description == (
        "; the history's H4 is on a broker's clock and was built from its H1"
    )
    # On a clock that fits they are what the file says.
    as_utc = read_history_files(files)
    assert (len(as_utc.candles[Timeframe.H4]), as_utc.description) == (6, "")


def test_without_shorter_ones_they_are_refused(tmp_path: Path) -> None:
    files = {Timeframe.H4: write(tmp_path / "XAUUSD_H4.csv", 4, 6)}
    with pytest.raises(MarketFileError, match="line 2: it opens at 2024-01-07T22:00:00"):
        read_history_files(files, "server-eu")


def test_a_name_that_says_another_timeframe_is_not_believed(tmp_path: Path) -> None:
    files = {Timeframe.H4: write(tmp_path / "XAUUSD_H4.csv", 1, 6)}
    with pytest.raises(MarketFileError, match="holds candles of H1, not of H4"):
        read_history_files(files)


def test_a_clock_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match="'Mars' is no time zone"):
        read_history_files({Timeframe.H4: tmp_path / "XAUUSD_H4.csv"}, "Mars")


def test_a_clock_that_a_name_ends_in_goes_before_the_given_one(tmp_path: Path) -> None:
    named = write(tmp_path / "XAUUSD_H1_2024_SERVER-EU.csv", 1, 3)
    (found,) = read_history_files({Timeframe.H1: named}).candles.values()
    assert iso(int(found.time_ms[0]))[:13] == "2024-01-07T22"
