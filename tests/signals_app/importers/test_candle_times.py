"""Times that clocks wrote."""

from pathlib import Path

import pandas as pd
import pytest

from signals_app.importers.candle_layout import CandleFormat, CandleLayout
from signals_app.importers.candle_text import CandleFileError, CandleText
from signals_app.importers.candle_times import read_times, wall_clock
from signals_app.market.calendar import iso


def times(path: Path, clock: str, *written: str) -> list[str]:
    """Return times of an ISO file as UTC."""
    path.write_text("\n".join(["timestamp", *written]) + "\n")
    layout = CandleLayout(CandleFormat.ISO, ",", {"timestamp": 0}, 1, says_utc=False)
    frame = pd.DataFrame({"timestamp": list(written)})
    found = read_times(CandleText(path), layout, frame, wall_clock(clock))
    return [iso(time_ms) for time_ms in found.tolist()]


@pytest.mark.parametrize(
    ("clock", "utc"),
    [
        ("utc", "2024-07-01T12:00:00Z"),
        ("server-eu", "2024-07-01T09:00:00Z"),
        ("server-us", "2024-07-01T09:00:00Z"),
        ("Asia/Dubai", "2024-07-01T08:00:00Z"),
        ("+02:00", "2024-07-01T10:00:00Z"),
        ("-0330", "2024-07-01T15:30:00Z"),
    ],
)
def test_a_time_without_an_offset_is_that_of_the_clock(
    tmp_path: Path, clock: str, utc: str
) -> None:
    assert times(tmp_path / "x.csv", clock, "2024-07-01T12:00:00") == [utc]


def test_a_time_with_an_offset_is_what_it_says(tmp_path: Path) -> None:
    written = ("2024-07-01T12:00:00Z", "2024-07-01T12:00:00+05:00")
    utc = ["2024-07-01T12:00:00Z", "2024-07-01T07:00:00Z"]
    assert times(tmp_path / "x.csv", "server-eu", *written) == utc


def test_the_hour_that_happens_twice_is_told_apart_by_the_files_order(tmp_path: Path) -> None:
    # Athens goes back from 04:00 to 03:00 on 27 October 2024, at 01:00 UTC.
    written = ("2024-10-27T03:00:00", "2024-10-27T03:30:00", "2024-10-27T03:00:00")
    utc = ["2024-10-27T00:00:00Z", "2024-10-27T00:30:00Z", "2024-10-27T01:00:00Z"]
    assert times(tmp_path / "x.csv", "server-eu", *written) == utc


def test_a_time_that_never_was_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match="never was on the clock server-eu"):
        times(tmp_path / "x.csv", "server-eu", "2024-03-31T03:30:00")


def test_what_is_no_time_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match="line 3: 'noon' is not a time"):
        times(tmp_path / "x.csv", "utc", "2024-07-01T12:00:00", "noon")


def test_a_clock_that_is_none_is_refused() -> None:
    with pytest.raises(CandleFileError, match="'Mars/Base' is no timezone"):
        wall_clock("Mars/Base")
