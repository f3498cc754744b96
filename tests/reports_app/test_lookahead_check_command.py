"""`manage.py lookahead_check`: quiet where all is well, and loud where something is planted."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from reports_app.backtest import engine, truncation
from reports_app.backtest.columns import resample
from reports_app.backtest.truncation import cut_places
from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.analysis import Analysis, analyse
from tests.reports_app.backtest.markets import wandering_ticks
from tests.reports_app.test_backtest_command import EAGER, write_candles


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
            *map(str, (*arguments, *EAGER)),
            stdout=out,
            stderr=StringIO(),
        )
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def test_ticks_are_proven_to_have_none(ticks_file: Path) -> None:
    code, told = check("--ticks", ticks_file)

    assert code == 0
    assert told.startswith("No lookahead found: 6 copies of the file")
    assert "(3 of them just after a signal)" in told


def test_candles_are_proven_to_have_none(candles_file: Path) -> None:
    code, told = check("--candles", candles_file, "--json")

    printed = json.loads(told)
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

    code, told = check("--candles", candles_file)

    assert code == 1
    assert told.startswith("LOOKAHEAD: something was known before its time. When the file ends at ")


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
    def repainting(candles: Candles) -> Analysis:
        found = analyse(candles)
        return replace(found, swings=found.swings[-3:])

    monkeypatch.setattr(truncation, "analyse", repainting)

    code, told = check("--candles", candles_file)

    assert code == 1
    assert "swing" in told


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
