"""What a study of scores is made of: candles of files or the database, and the live record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports_app.assessment.live_scores import live_scores
from reports_app.assessment.reliability_study import Study
from reports_app.experiments.live_signals import read_live_signals
from reports_app.experiments.setup import Setup
from signals_app.importers.candle_series import Series, candle_paths, read_series
from signals_app.market.calendar import utc
from signals_app.market.candle import Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.market.instrument import Instrument
from signals_app.services.connectors import is_simulated
from signals_app.services.price_history import stored_candles, stored_series


@dataclass(frozen=True, slots=True)
class StudySpan:
    """Unix milliseconds from which a study counts, and before which; `None` where it is open."""

    begin_ms: int | None
    end_ms: int | None


def study_of_files(
    places: Sequence[Path], symbol: str, source_timezone: str, setup: Setup, span: StudySpan
) -> Study:
    """Take candle files, or directories of them; raises `MarketFileError`, `UnknownInstrument`."""
    instrument = setup.instrument(symbol)
    series = _file_series(places, instrument, source_timezone)
    return Study(
        instrument=instrument,
        parameters=setup.parameters,
        settings=setup.source,
        runs=_runs_in(span, series),
        left_out=series.left_out,
    )


def study_beside_live(
    places: Sequence[Path], symbol: str, source_timezone: str, setup: Setup, span: StudySpan
) -> Study:
    """Take candle files, without any the database's candles, and the live record beside them.

    Needs the database to be open. Raises as `study_of_files` does.
    """
    instrument = setup.instrument(symbol)
    signals = read_live_signals(
        instrument.symbol,
        begin=None if span.begin_ms is None else utc(span.begin_ms),
        end=None if span.end_ms is None else utc(span.end_ms),
    )
    if places:
        series, history = _file_series(places, instrument, source_timezone), {}
    else:
        series = stored_series(instrument, Timeframe.M15)
        history = {
            timeframe: stored_candles(instrument.symbol, timeframe)
            for timeframe in (Timeframe.H1, Timeframe.H4)
        }
    return Study(
        instrument=instrument,
        parameters=setup.parameters,
        settings=setup.source,
        runs=_runs_in(span, series),
        left_out=series.left_out,
        history=history,
        live=live_scores(signals),
        is_of_files=bool(places),
        is_simulated=is_simulated(instrument.symbol),
    )


def _file_series(places: Sequence[Path], instrument: Instrument, source_timezone: str) -> Series:
    paths = candle_paths(
        places,
        symbol=instrument.symbol,
        timeframe=Timeframe.M15,
        source_timezone=source_timezone,
    )
    return read_series(paths, instrument)


def _runs_in(span: StudySpan, series: Series) -> tuple[CandleRun, ...]:
    runs = (_until(run, span.end_ms) for run in series.runs)
    return tuple(
        run
        for run in runs
        if len(run) and (span.begin_ms is None or int(run.candles.time_ms[-1]) >= span.begin_ms)
    )


def _until(run: CandleRun, end_ms: int | None) -> CandleRun:
    return run if end_ms is None else run.part(0, int((run.candles.time_ms < end_ms).sum()))
