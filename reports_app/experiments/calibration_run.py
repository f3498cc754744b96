"""A run over price history that measures probabilities: of files or the database, stored or not."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports_app.rendering.calibration_report import CalibrationReport
from signals_app.importers.candle_series import CandlePath
from signals_app.importers.progress import OnProgress
from signals_app.market.built_in import BUILT_IN
from signals_app.market.candle import Timeframe
from signals_app.services.calibration import calibrate_all, store_calibrations
from signals_app.services.price_history import (
    histories_of_database,
    histories_of_files,
    instruments_by_symbol,
)


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """A report for each market that was measured, and a sentence for each that was too short.

    `notes` say of which files the candles are on a broker's clock.
    """

    reports: tuple[CalibrationReport, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryChoice:
    """Which history is measured: that of files, or, where `paths` is `None`, the database's.

    `symbol` and `timeframe` leave out all others of the database. `until_ms` (Unix) leaves out
    what was not known by then.
    """

    paths: Sequence[CandlePath] | None
    symbol: str | None = None
    timeframe: Timeframe | None = None
    until_ms: int | None = None


def calibrate_and_store(
    choice: HistoryChoice, *, is_forced: bool, on_progress: OnProgress
) -> CalibrationRun:
    """Measure, and store what new signals should be judged by, or all of it where ``is_forced``.

    Needs the database to be open. Raises `MarketFileError` and `SimulatedHistory`.
    """
    histories = (
        histories_of_database(choice.symbol, choice.timeframe)
        if choice.paths is None
        else histories_of_files(choice.paths, instruments_by_symbol())
    )
    found = calibrate_all(histories, until_ms=choice.until_ms, on_progress=on_progress)
    results = store_calibrations(
        found.made, is_look_back=choice.until_ms is not None, is_forced=is_forced
    )
    reports = tuple(map(CalibrationReport.of, found.made, results))
    return CalibrationRun(reports, found.left_out, found.notes)


def calibrate_only(
    choice: HistoryChoice, *, no_database: str, on_progress: OnProgress
) -> CalibrationRun:
    """Measure files without a database, by the instruments of a new installation.

    ``no_database`` is the sentence that says why nothing is stored. Raises `MarketFileError`.
    """
    histories = histories_of_files(choice.paths or (), BUILT_IN)
    found = calibrate_all(histories, until_ms=choice.until_ms, on_progress=on_progress)
    reports = (
        CalibrationReport(one, is_stored=False, storing=f": {no_database}") for one in found.made
    )
    return CalibrationRun(tuple(reports), found.left_out, found.notes)
