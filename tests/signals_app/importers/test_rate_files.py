"""Candle files that rates are read from."""

from decimal import Decimal
from pathlib import Path

import pytest

from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.rate_files import rate_files, read_rates
from signals_app.market.candle import Timeframe
from signals_app.market.conversion import RatePair

GBPUSD = RatePair("GBPUSD", is_inverse=False)
MIDNIGHT = 1_704_844_800_000


def write(path: Path, hours: range = range(12, 24), minute: int = 0) -> Path:
    rows = (f"2024-01-09T{hour:02d}:{minute:02d}:00Z,1.2,1.3,1.1,1.2{hour:02d},5" for hour in hours)
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    return path


def test_a_directory_is_looked_through_for_the_pair(tmp_path: Path) -> None:
    file = write(tmp_path / "GBPUSD_H1_2024_UTC.csv")
    write(tmp_path / "EURGBP_H1.csv")
    assert rate_files(tmp_path, GBPUSD) == rate_files(file, GBPUSD) == {Timeframe.H1: file}
    rates = read_rates({Timeframe.H1: file}, "utc")
    assert rates.at(MIDNIGHT) == Decimal("1.22300")


@pytest.mark.parametrize("name", ["USDJPY_H1.csv", "rates.csv"])
def test_a_place_without_the_pair_is_refused(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name)
    for place in (tmp_path, file, tmp_path / "GBPUSD_H1.csv"):
        with pytest.raises(MarketFileError, match=r"holds no candles named like GBPUSD_H1\.csv"):
            rate_files(place, GBPUSD)


def test_candles_off_the_grid_are_no_rates(tmp_path: Path) -> None:
    file = write(tmp_path / "GBPUSD_H1.csv", minute=30)
    with pytest.raises(MarketFileError, match="UTC"):
        read_rates({Timeframe.H1: file}, "utc")
