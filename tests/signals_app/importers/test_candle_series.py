"""Candle files by their names, and their overlaps."""

import gzip
from pathlib import Path

import pytest

from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.candle_series import CandlePath, candle_paths, read_series
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS

GOLD = DEFAULT_INSTRUMENTS[0]
HOUR_MS = 3_600_000


def write(path: Path, first_hour: int, candles: int, *, volume: int, spread: str = "") -> Path:
    head = "timestamp,open,high,low,close,volume" + (",spread" if spread else "")
    tail = f",{spread}" if spread else ""
    lines = [
        f"{2020 + hour // 8736}-{1 + hour % 8736 // 728:02}-{1 + hour % 728 // 26:02}"
        f"T{hour % 26 % 24:02}:00:00Z,100,101,99,100,{volume}{tail}"
        for hour in range(first_hour, first_hour + candles)
        if hour % 26 < 24
    ]
    path.write_bytes(gzip.compress("\n".join([head, *lines]).encode()))
    return path


def test_a_name_says_what_a_file_holds_and_its_clock(tmp_path: Path) -> None:
    names = (
        "XAUUSD_M15_broker_SERVER-EU.csv.gz",
        "XAUUSD_H1.csv",
        "XAUUSD_H4_x_2012_UTC.csv",
        "XAUUSD_M1_x.csv",
        "notes.md",
    )
    for name in names:
        (tmp_path / name).touch()

    found = candle_paths([tmp_path], source_timezone="server-us")

    assert found == [
        CandlePath(tmp_path / names[1], "XAUUSD", Timeframe.H1, "server-us"),
        CandlePath(tmp_path / names[2], "XAUUSD", Timeframe.H4, "utc"),
        CandlePath(tmp_path / names[0], "XAUUSD", Timeframe.M15, "server-eu"),
    ]
    assert candle_paths([tmp_path], symbol="EURUSD") == []


def test_a_file_of_another_name_has_to_be_explained(tmp_path: Path) -> None:
    file = tmp_path / "gold.csv"
    file.touch()

    with pytest.raises(MarketFileError, match="give --symbol and --timeframe"):
        candle_paths([file])
    assert candle_paths([file], symbol="XAUUSD", timeframe=Timeframe.H1) == [
        CandlePath(file, "XAUUSD", Timeframe.H1, "utc")
    ]


def test_a_file_that_is_too_short_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path / "XAUUSD_H1_long_UTC.csv.gz", 0, 400, volume=0)
    write(tmp_path / "XAUUSD_H1_short_UTC.csv.gz", 5200, 299, volume=7)

    series = read_series(candle_paths([tmp_path]), GOLD)

    assert [run.name for run in series.runs] == ["XAUUSD_H1_long_UTC.csv.gz"]
    assert series.left_out == (
        "XAUUSD_H1_short_UTC.csv.gz holds 277 candles; at least 300 are needed.",
    )


def test_no_time_counts_twice_and_volumes_go_first(tmp_path: Path) -> None:
    write(tmp_path / "XAUUSD_H1_long_UTC.csv.gz", 0, 2600, volume=0)
    write(tmp_path / "XAUUSD_H1_loud_UTC.csv.gz", 1040, 520, volume=7, spread="20")

    runs = read_series(candle_paths([tmp_path]), GOLD).runs

    assert [(run.name.split("_")[2], len(run.candles)) for run in runs] == [
        ("long", 960),
        ("loud", 480),
        ("long", 960),
    ]
    assert [float(run.spread[0]) for run in runs] == [0.3, 0.2, 0.3]
    times = [int(time) for run in runs for time in run.candles.time_ms]
    assert times == sorted(set(times))


def test_four_hours_of_a_brokers_clock_are_used_and_told(tmp_path: Path) -> None:
    path = tmp_path / "XAUUSD_H4.csv"
    begin = 1_704_153_600_000  # 2024-01-02
    rows = (f"{begin + (2 + 4 * n) * 3_600_000},10,11,9,10,1" for n in range(400))
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    (one,) = candle_paths([path])

    series = read_series([one], GOLD)

    assert [len(run) for run in series.runs] == [400]
    (note,) = series.notes
    assert note.startswith("XAUUSD_H4.csv holds H4 of a broker's clock (the first opens at 2024-01")
