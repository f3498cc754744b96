"""One market's history calibrated: what its events were worth, and how well that predicts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from signals_app.market.calendar import milliseconds, utc
from signals_app.market.candle import Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.probability.estimate import Probability
from signals_app.probability.fitting import Sample, WalkForward, fit, sample_of, walk_forward


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probabilities of one market and timeframe, and the history they were measured on.

    `runs` describes each run of candles. `from_ms` is the first candle's opening and `to_ms` the
    last one's end; `events` counts the outcomes. `forward` is `None` where no year could be
    predicted by those before it.
    """

    symbol: str
    timeframe: Timeframe
    runs: tuple[str, ...]
    candles: int
    events: int
    from_ms: int
    to_ms: int
    probabilities: tuple[Probability, ...]
    forward: WalkForward | None


def calibrate(
    symbol: str, timeframe: Timeframe, runs: Iterable[CandleRun], *, until_ms: int | None = None
) -> Calibration | None:
    """Measure the events of these candles; `None` where there are none.

    ``until_ms`` leaves out what was not known by then: candles that had not closed.
    """
    used = [run for run in (_closed_by(run, until_ms, timeframe) for run in runs) if len(run)]
    if not used:
        return None
    sample = Sample.joined([sample_of(run.candles, run.spread, timeframe) for run in used])
    first_ms = min(int(run.candles.time_ms[0]) for run in used)
    last_ms = max(int(run.candles.time_ms[-1]) for run in used) + timeframe.milliseconds
    return Calibration(
        symbol=symbol,
        timeframe=timeframe,
        runs=tuple(run.description for run in used),
        candles=sum(map(len, used)),
        events=len(sample),
        from_ms=first_ms,
        to_ms=last_ms,
        probabilities=fit(sample),
        forward=walk_forward(sample, _new_years(first_ms, last_ms)),
    )


def _closed_by(run: CandleRun, until_ms: int | None, timeframe: Timeframe) -> CandleRun:
    if until_ms is None:
        return run
    return run.part(0, int((run.candles.time_ms + timeframe.milliseconds <= until_ms).sum()))


def _new_years(first_ms: int, last_ms: int) -> list[int]:
    """The turns of the years inside the data, and the data's end."""
    years = range(utc(first_ms).year + 1, utc(last_ms).year + 1)
    return [*(milliseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in years), last_ms]
