"""Tick files read as the gateway would have stored them."""

import logging
from pathlib import Path

import pytest

from signals_app.importers.tick_files import MarketFileError, open_ticks, read_ticks

NOON = 1_704_456_000_000


def ticks(path: Path, *rows: tuple[int, float]) -> Path:
    lines = [f"{time_ms},{bid},{round(bid + 0.3, 5)}" for time_ms, bid in rows]
    path.write_text("timestamp_ms,bid,ask\n" + "\n".join(lines) + "\n")
    return path


def read(path: Path, **options: object) -> list[tuple[int, int, float]]:
    runs = read_ticks(path, symbol="XAUUSD", **options)  # type: ignore[arg-type]
    return [(tick.ordinal, tick.time_ms, tick.bid) for run in runs for tick in run]


def test_ticks_are_numbered_from_one_in_the_files_order(tmp_path: Path) -> None:
    path = ticks(tmp_path / "ticks.csv", (NOON, 2000.0), (NOON, 2000.5), (NOON + 1, 2000.25))
    assert read(path) == [(1, NOON, 2000.0), (2, NOON, 2000.5), (3, NOON + 1, 2000.25)]


def test_a_jump_is_left_out_with_a_warning_and_takes_no_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = ticks(tmp_path / "ticks.csv", (NOON, 2000.0), (NOON + 1, 5000.0), (NOON + 2, 2001.0))
    with caplog.at_level(logging.WARNING):
        assert read(path) == [(1, NOON, 2000.0), (2, NOON + 2, 2001.0)]
    assert "1 ticks left out" in caplog.text


def test_any_other_fault_ends_the_reading(tmp_path: Path) -> None:
    path = ticks(tmp_path / "ticks.csv", (NOON, 2000.0), (NOON + 1, -1.0))
    with pytest.raises(MarketFileError, match=r"ticks\.csv"):
        read(path)


def test_the_bytes_read_are_reported_before_each_run(tmp_path: Path) -> None:
    path = ticks(tmp_path / "ticks.csv", *((NOON + n, 2000.0) for n in range(100)))
    positions: list[int] = []
    read(path, on_read=positions.append)
    assert positions
    assert positions == sorted(positions)
    assert positions[-1] <= path.stat().st_size


def test_an_opened_file_says_how_it_is_understood(tmp_path: Path) -> None:
    path = ticks(tmp_path / "ticks.csv", (NOON, 2000.0))
    assert open_ticks(path, symbol="XAUUSD").assumed
