"""History measured with a database, which stores it, and without one."""

from pathlib import Path

import numpy as np
import pytest

from reports_app.experiments.calibration_run import (
    CalibrationRun,
    HistoryChoice,
    calibrate_and_store,
    calibrate_only,
)
from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.candle_series import CandlePath
from signals_app.market.calendar import iso
from signals_app.market.candle import Timeframe
from signals_app.models import MeasuredProbability

HOUR_MS = 3_600_000
# 2024-01-01T00:00:00Z
BEGAN_MS = 1_704_067_200_000


@pytest.fixture
def path(tmp_path: Path) -> CandlePath:
    """Four hundred hours of prices without memory."""
    close = 1800 + np.cumsum(np.random.default_rng(3).normal(0, 2, 400))
    open_ = np.concatenate(([1800.0], close[:-1]))
    times = range(BEGAN_MS, BEGAN_MS + 400 * HOUR_MS, HOUR_MS)
    rows = [
        f"{iso(time_ms)},{a:.2f},{max(a, b) + 1:.2f},{min(a, b) - 1:.2f},{b:.2f},100"
        for time_ms, a, b in zip(times, open_, close, strict=True)
    ]
    file = tmp_path / "XAUUSD_H1.csv"
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    return CandlePath(file, "XAUUSD", Timeframe.H1, "utc")


def quiet(_done: int, _total: int, _what: str) -> None:
    pass


def test_without_a_database_the_reason_is_reported(path: CandlePath) -> None:
    run = calibrate_only(HistoryChoice([path]), no_database="There is none.", on_progress=quiet)

    (report,) = run.reports
    assert (report.calibration.candles, report.is_stored) == (400, False)
    assert report.storing == ": There is none."


@pytest.mark.django_db
def test_with_a_database_it_is_stored_unless_it_looks_back(path: CandlePath) -> None:
    back = HistoryChoice([path], until_ms=BEGAN_MS + 350 * HOUR_MS)
    (report,) = calibrate_and_store(back, is_forced=False, on_progress=quiet).reports
    assert (report.calibration.candles, report.is_stored) == (350, False)
    assert not MeasuredProbability.objects.exists()

    (report,) = calibrate_and_store(back, is_forced=True, on_progress=quiet).reports
    assert report.is_stored
    assert MeasuredProbability.objects.exists()


@pytest.mark.django_db
def test_no_files_at_all_are_not_the_databases_history(path: CandlePath) -> None:
    empty = CalibrationRun((), ())

    assert calibrate_and_store(HistoryChoice([]), is_forced=False, on_progress=quiet) == empty
    assert calibrate_and_store(HistoryChoice(None), is_forced=False, on_progress=quiet) == empty


def test_a_file_of_an_unknown_symbol_is_refused(path: CandlePath) -> None:
    other = CandlePath(path.path, "USDNOK", Timeframe.H1, "utc")

    with pytest.raises(MarketFileError, match="holds USDNOK"):
        calibrate_only(HistoryChoice([other]), no_database="", on_progress=quiet)
