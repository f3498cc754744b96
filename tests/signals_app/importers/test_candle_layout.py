"""Layouts are recognised by the header."""

from pathlib import Path

import pytest

from signals_app.importers.candle_layout import CandleFormat, CandleLayout, find_layout
from signals_app.importers.candle_text import CandleFileError, CandleText

PRICES = {"open": 1, "high": 2, "low": 3, "close": 4}


def layout(path: Path, header: str) -> CandleLayout:
    path.write_text(header + "\n")
    return find_layout(CandleText(path))


def test_iso_files_have_one_time_column(tmp_path: Path) -> None:
    found = layout(tmp_path / "x.csv", "timestamp,open,high,low,close,volume,spread")
    columns = {"timestamp": 0, **PRICES, "volume": 5, "spread": 6}
    assert found == CandleLayout(CandleFormat.ISO, ",", columns, 7, says_utc=False)
    assert found.time_columns == ["timestamp"]


def test_metatraders_exports_have_date_and_time_and_ticks_for_volume(tmp_path: Path) -> None:
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    found = layout(tmp_path / "x.csv", header)
    assert (found.format, found.separator, found.width) == (CandleFormat.METATRADER, "\t", 9)
    assert found.time_columns == ["date", "time"]
    assert (found.columns["volume"], found.columns["spread"]) == (6, 8)


@pytest.mark.parametrize(("time", "says_utc"), [("Gmt time", True), ("Local time", False)])
def test_dukascopy_says_whether_its_times_are_utc(
    tmp_path: Path, time: str, says_utc: bool
) -> None:
    found = layout(tmp_path / "x.csv", f"{time},Open,High,Low,Close,Volume")
    assert (found.format, found.says_utc) == (CandleFormat.DUKASCOPY, says_utc)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [("a,b,c", "does not begin with a known header"), ("timestamp,open", "has no column 'high'")],
)
def test_other_headers_are_refused(tmp_path: Path, header: str, sentence: str) -> None:
    with pytest.raises(CandleFileError, match=sentence):
        layout(tmp_path / "x.csv", header)
