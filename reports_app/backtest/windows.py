"""The engine's windows: the last candles of each timeframe, and what a decision sees in them.

A backtest asks at every M15 close, and most closes come to nothing. They are planned in columns,
many at once; values and views are made for those that somebody reads.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from reports_app.backtest.planning_threads import plan_in_order
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.planning import Closes, Plan, planner_of
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.scoring import (
    H4H1Votes,
    Score,
    Views,
    h4_h1_votes,
    h4_votes,
    score_at,
)
from signals_app.confluence.screening import ENDS
from signals_app.market.candle import TIMEFRAMES, WINDOW, Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.analysis import view
from signals_app.smc.views import TimeframeView


@dataclass(frozen=True, slots=True)
class PlannedClose:
    """An M15 close that reaches the threshold; `row` is its place among those that were added."""

    row: int
    close_time_ms: int
    plan: Plan
    #: How many candles of H4, H1 and M15 had closed by then, of those that the windows hold.
    ends: tuple[int, ...]


class EngineWindows:
    """The windows of M15, H1 and H4, and their views, made when a decision asks for them."""

    def __init__(self, instrument: Instrument, parameters: Parameters, workers: int = 1) -> None:
        self._instrument, self._parameters, self._workers = instrument, parameters, workers
        self._candles = {timeframe: Candles.of(()) for timeframe in TIMEFRAMES}
        #: The last view of each timeframe and where its window ends: H1 and H4 serve several.
        self._views: dict[Timeframe, tuple[int, TimeframeView]] = {}
        self._h4_h1_votes: dict[Direction, H4H1Votes] = {}
        #: How many candles of each timeframe were added, without history.
        self.built = Counter(dict.fromkeys(TIMEFRAMES, 0))

    def fill(self, history: Mapping[Timeframe, Candles], before_ms: int) -> None:
        """Fill the windows with the candles of history that ended by ``before_ms``."""
        for timeframe, candles in history.items():
            if timeframe in self._candles:
                ended = candles.time_ms + timeframe.milliseconds <= before_ms
                last = candles.window(int(ended.sum()))
                # At rest a candle's volume is whole, and live windows are read from there.
                self._candles[timeframe] = replace(last, volume=np.rint(last.volume))

    def add(
        self,
        closed: Mapping[Timeframe, Candles],
        bid: Float64s,
        ask: Float64s,
        refusals: Counter[RefusalReason],
        decide_from_ms: int | None = None,
    ) -> Iterator[PlannedClose]:
        """Add the candles that closed next; the M15 closes that may come to something.

        ``bid`` and ``ask`` are the quotes that the M15 closes would be entered at. Closes below the
        threshold, and those where both directions are level, are counted in ``refusals``; closes
        before ``decide_from_ms`` only fill the windows. `judged` holds until the next candles are
        added.
        """
        ends = self._append(closed)
        times = closed[Timeframe.M15].time_ms + Timeframe.M15.milliseconds
        rows = np.arange(len(times))
        if decide_from_ms is not None:
            rows = rows[times >= decide_from_ms]
        lengths = np.minimum(ends[rows], WINDOW).min(axis=1, initial=WINDOW)
        is_warm = lengths >= max(self._parameters.warm_up_candles, 1)
        _count(refusals, RefusalReason.WARMING_UP, int((~is_warm).sum()))
        rows = rows[is_warm]
        closes = Closes(ends[rows], times[rows], bid[rows], ask[rows])
        return self._planned(closes, rows, refusals)

    def _planned(
        self, closes: Closes, rows: Int64s, refusals: Counter[RefusalReason]
    ) -> Iterator[PlannedClose]:
        if not len(closes):
            return
        plan = planner_of(self._candles, self._instrument, self._parameters)
        for part, planned in plan_in_order(plan, closes, self._workers):
            refusals.update(planned.refused)
            for one in planned.plans:
                place = part + one.place
                yield PlannedClose(
                    row=int(rows[place]),
                    close_time_ms=int(closes.time_ms[place]),
                    plan=one,
                    ends=tuple(closes.ends[place].tolist()),
                )

    def judged(self, close: PlannedClose) -> tuple[Views, tuple[Score, float]] | None:
        """The views with the better direction's score and the other's total, for `decide`.

        `None` where neither reaches the threshold.
        """
        h4, h1, m15 = (
            self._view(timeframe, end) for timeframe, end in zip(ENDS, close.ends, strict=True)
        )
        scores = [
            score_at(self._votes(h4, h1, direction), m15) for direction in close.plan.directions
        ]
        totals = [score.total for score in scores]
        best = totals.index(max(totals))
        if totals[best] < self._parameters.threshold:
            return None
        # A direction without hope is below the threshold, so it cannot be level with this one.
        other_total = totals[1 - best] if len(totals) > 1 else 0.0
        return (h4, h1, m15), (scores[best], other_total)

    def _append(self, closed: Mapping[Timeframe, Candles]) -> Int64s:
        """Add candles, forget those of no more use, and return the windows' ends by M15 close."""
        m15 = closed[Timeframe.M15]
        closes = m15.time_ms + Timeframe.M15.milliseconds
        ends = np.empty((len(closes), len(ENDS)), dtype=np.int64)
        for column, timeframe in enumerate(ENDS):
            before, added = self._candles[timeframe], closed[timeframe]
            kept = before.window(len(before))
            self._candles[timeframe] = kept.followed_by(added)
            self.built[timeframe] += len(added)
            ended = np.searchsorted(added.time_ms + timeframe.milliseconds, closes, side="right")
            ends[:, column] = len(kept) + ended
        self._views.clear()
        self._h4_h1_votes.clear()
        return ends

    def _view(self, timeframe: Timeframe, end: int) -> TimeframeView:
        found = self._views.get(timeframe)
        if found is None or found[0] != end:
            seen = view(self._candles[timeframe].window(end), timeframe)
            found = self._views[timeframe] = end, seen
            if timeframe is not Timeframe.M15:
                self._h4_h1_votes.clear()
        return found[1]

    def _votes(self, h4: TimeframeView, h1: TimeframeView, direction: Direction) -> H4H1Votes:
        found = self._h4_h1_votes.get(direction)
        if found is None:
            found = self._h4_h1_votes[direction] = h4_h1_votes(h4_votes(h4, direction), h1)
        return found


def _count(refusals: Counter[RefusalReason], reason: RefusalReason, closes: int) -> None:
    # A reason that never held is not in the result, not even with nothing.
    if closes:
        refusals[reason] += closes
