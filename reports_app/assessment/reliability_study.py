"""A study of scores: the candles to score, by whose settings, and the live record beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports_app.assessment.live_scores import LiveScores
from reports_app.assessment.scored_outcomes import ScoredOutcome, score_outcomes
from signals_app.confluence.parameters import Parameters
from signals_app.importers.progress import OnProgress
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.market.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Study:
    """The M15 candles to score, by whose settings, and beside what.

    `runs` lie in the span; `left_out` has a sentence for each file that could not be used.
    `history` fills the windows of H1 and H4 before the first candle. `live` is `None` where no
    database was asked; `is_simulated` is of the database, whether or not the candles are.
    """

    instrument: Instrument
    parameters: Parameters
    settings: str
    runs: tuple[CandleRun, ...]
    left_out: tuple[str, ...]
    history: Mapping[Timeframe, Candles] = field(default_factory=dict)
    live: LiveScores | None = None
    is_of_files: bool = True
    is_simulated: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.runs and (self.live is None or not self.live.bands)


def score_study(
    study: Study, begin_ms: int | None, on_progress: OnProgress, *, workers: int = 1
) -> list[ScoredOutcome]:
    """Score every close from ``begin_ms`` on; what lies before fills the windows.

    ``workers`` are the threads that screen closes; any number gives the same scores.
    """
    scored: list[ScoredOutcome] = []
    for run in study.runs:
        total = len(run)
        scored += score_outcomes(
            study.instrument,
            study.parameters,
            run.candles,
            run.spread,
            history=study.history,
            decide_from_ms=begin_ms,
            on_progress=lambda done, total=total: on_progress(  # type: ignore[misc]
                done, total, f"Scoring {done:,} candles"
            ),
            workers=workers,
        )
    return scored
