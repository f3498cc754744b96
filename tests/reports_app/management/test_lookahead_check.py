"""`manage.py lookahead_check`: quiet where all is well, and loud where something is planted."""

import gzip
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from reports_app.assessment import truncation
from reports_app.assessment.shortened_copies import shortened_copy
from reports_app.assessment.truncation import cut_places
from reports_app.backtest import engine
from reports_app.backtest.columns import resample
from signals_app.importers.candle_files import read_candles
from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.analysis import analyse
from signals_app.smc.views import WindowAnalysis
from tests.reports_app.backtest.markets import wandering_ticks
from tests.reports_app.management.test_backtest import EAGER, write_candles


@pytest.fixture
def ticks_file(tmp_path: Path) -> Path:
    path = tmp_path / "ticks.csv"
    rows = (f"{t.time_ms},{t.bid:.5f},{t.ask:.5f}" for t in wandering_ticks(3))
    path.write_text("\n".join(["timestamp_ms,bid,ask", *rows]) + "\n")
    return path


@pytest.fixture
def candles_file(tmp_path: Path) -> Path:
    return write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)


def check(*arguments: str | Path) -> tuple[int, str]:
    out = StringIO()
    code = 0
    try:
        call_command(
            "lookahead_check",
            *("--symbol", "XAUUSD", "--cuts", "6"),
            *map(str, (*EAGER, *arguments)),
            stdout=out,
            stderr=StringIO(),
        )
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def test_ticks_are_proven_to_have_none(ticks_file: Path) -> None:
    code, report = check("--ticks", ticks_file)

    assert code == 0
    assert report.startswith("No lookahead found: 6 copies of the file")
    assert "(3 of them just after a signal)" in report


def test_candles_are_proven_to_have_none(candles_file: Path) -> None:
    code, report = check("--candles", candles_file, "--json")

    printed = json.loads(report)
    assert (code, printed["lookahead"]) == (0, False)
    assert sum(cut["signals"] for cut in printed["cuts"]) > 5
    assert sum(cut["findings"] for cut in printed["cuts"]) > 100


def test_a_candle_that_knows_the_next_one_is_found_out(
    candles_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def knowing(candles: Candles, timeframe: Timeframe) -> Candles:
        found = resample(candles, timeframe)
        if timeframe is not Timeframe.H1:
            return found
        close = np.append(found.close[1:], found.close[-1])
        return Candles(
            found.time_ms,
            found.open,
            np.maximum(found.high, close),
            np.minimum(found.low, close),
            close,
            found.volume,
        )

    monkeypatch.setattr(engine, "resample", knowing)

    code, report = check("--candles", candles_file)

    assert code == 1
    assert report.startswith(
        "LOOKAHEAD: something was known before its time. When the file ends at "
    )


def test_ticks_that_know_the_next_one_are_found_out(
    ticks_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aggregate = engine.aggregate

    def knowing(forming, ticks):
        # Sees to the end of its batch where the price will be.
        forming, closed = aggregate(forming, ticks)
        drift = float(ticks.bid[-1] - ticks.bid[0])
        return forming, [
            replace_close(candle, drift) if candle.timeframe is Timeframe.M15 else candle
            for candle in closed
        ]

    monkeypatch.setattr(engine, "aggregate", knowing)

    assert check("--ticks", ticks_file)[0] == 1


def replace_close(closed, drift):
    candle = closed.candle
    close = candle.close + drift
    changed = replace(candle, close=close, high=max(candle.high, close), low=min(candle.low, close))
    return replace(closed, candle=changed)


def test_a_detector_that_repaints_is_found_out(
    candles_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repainting(candles: Candles) -> WindowAnalysis:
        found = analyse(candles)
        return replace(found, swings=found.swings[-3:])

    monkeypatch.setattr(truncation, "analyse", repainting)

    code, report = check("--candles", candles_file)

    assert code == 1
    assert "swing" in report


def test_a_file_is_really_cut_so_that_later_rows_cannot_say_how_to_read_it(
    candles_file: Path,
) -> None:
    # Whole numbers are points; one that is not, late in the file, makes all of them prices.
    header, *rows = candles_file.read_text().splitlines()
    spread = ["20"] * (len(rows) - 1) + ["0.5"]
    lines = [f"{header},spread", *(",".join(pair) for pair in zip(rows, spread, strict=True))]
    candles_file.write_text("\n".join(lines) + "\n")

    code, report = check("--candles", candles_file, "--set", "maximum_spread_pips=1000")

    assert code == 1
    assert "LOOKAHEAD" in report


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_copy_is_packed_as_its_file_and_reads_the_same(
    packed: bool, encoding: str, candles_file: Path, tmp_path: Path
) -> None:
    text = candles_file.read_text()
    path = tmp_path / ("XAUUSD_M15.csv.gz" if packed else "other.csv")
    raw = text.replace("\n", "\r\n\r\n").encode(encoding)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    (tmp_path / "copies").mkdir()

    copy = shortened_copy(path, 20, tmp_path / "copies")

    assert copy.name == path.name
    assert list(read_candles(copy)) == list(read_candles(candles_file).part(0, 20))


def test_minutes_are_cut_by_whole_candles(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)
    header, *rows = path.read_text().splitlines()
    # The same candles, one a minute.
    minutes = [
        f"2024-01-08T{n // 60 % 24:02}:{n % 60:02}:00Z{row[row.index(',') :]}"
        for n, row in enumerate(rows)
    ]
    path.write_text("\n".join([header, *minutes]) + "\n")

    code, report = check("--candles", path, "--json")

    printed = json.loads(report)
    assert code == 0
    assert sum(cut["findings"] for cut in printed["cuts"]) > 0
    assert printed["warning"].startswith("But the copies gave no signal")


def test_a_file_too_short_for_any_finding_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = "".join(f"2024-01-08T10:{n}:00Z,2000,2001,1999,2000.5,4\n" for n in ("00", "15"))
    path.write_text("timestamp,open,high,low,close,volume\n" + rows)

    with pytest.raises(CommandError, match="There is nothing to compare") as refused:
        check("--candles", path)

    assert refused.value.returncode == 2


def test_without_signals_it_is_said_that_of_them_nothing_is_proven(ticks_file: Path) -> None:
    code, report = check("--ticks", ticks_file, "--set", "threshold=100")

    assert code == 0
    assert "of signals and trades nothing is proven" in report


def test_half_of_the_cuts_are_just_after_signals() -> None:
    places = cut_places(range(100, 200), 5000, 10, seed=1)

    assert len([place for place in places if 100 <= place < 200]) >= 5
    assert places == tuple(sorted(set(places)))
    assert places == cut_places(range(100, 200), 5000, 10, seed=1)
    assert places != cut_places(range(100, 200), 5000, 10, seed=2)


def test_a_file_of_nothing_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text("timestamp_ms,bid,ask\n1704672000000,2000,2000.2\n")

    with pytest.raises(CommandError, match="too short") as refused:
        check("--ticks", path)

    assert refused.value.returncode == 2
