"""The engine's windows: the last candles of each timeframe, and what a decision sees in them.

A backtest asks at every M15 close, and most closes cannot reach the threshold: each timeframe is
looked at only where the longer ones leave a direction the chance to.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reports_app.backtest.columns import RollingCandles
from signals_app.confluence.ceilings import h4_ceiling, h4_h1_ceiling, unreachable_points
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.scoring import (
    H4H1Votes,
    H4Votes,
    Score,
    Views,
    h4_h1_votes,
    h4_votes,
    score_at,
    total_at,
)
from signals_app.market.aggregation import ClosedCandle
from signals_app.market.candle import TIMEFRAMES, Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.analysis import view, view_structure
from signals_app.smc.views import TimeframeView


class EngineWindows:
    """The windows of M15, H1 and H4, and their views, made when a decision asks for them."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._rolling = {timeframe: RollingCandles() for timeframe in TIMEFRAMES}
        self._is_warm = False
        #: Of the present windows: those of H1 and H4 serve several decisions.
        self._views: dict[Timeframe, TimeframeView] = {}
        #: Of the directions that H4 leaves a chance; `None` until a decision asks.
        self._h4_votes: list[H4Votes] | None = None
        self._h4_h1_votes: list[H4H1Votes] | None = None
        #: How many candles of each timeframe were added, without history.
        self.built = Counter(dict.fromkeys(TIMEFRAMES, 0))

    def fill(self, history: Mapping[Timeframe, Candles], before_ms: int) -> None:
        """Fill the windows with the candles of history that ended by ``before_ms``."""
        for timeframe, candles in history.items():
            if timeframe in self._rolling:
                ended = candles.time_ms + timeframe.milliseconds <= before_ms
                for candle in candles.window(int(ended.sum())):
                    # At rest a candle's volume is whole, and live windows are read from there.
                    at_rest = replace(candle, volume=float(round(candle.volume)))
                    self._rolling[timeframe].append(at_rest)

    def push(self, closed: Iterable[ClosedCandle], closed_by: int | None = None) -> int | None:
        """Add candles that ended together; return which tick closed the M15 one, if one did.

        That is the candle's own `closed_by`, else the one given.
        """
        decided = None
        for candle in closed:
            self._rolling[candle.timeframe].append(candle.candle)
            self.built[candle.timeframe] += 1
            self._views.pop(candle.timeframe, None)
            if candle.timeframe is Timeframe.M15:
                decided = closed_by if candle.closed_by is None else candle.closed_by
            else:
                self._h4_h1_votes = None
            if candle.timeframe is Timeframe.H4:
                self._h4_votes = None
        return decided

    def worth_deciding(self) -> tuple[Views, tuple[Score, float]] | RefusalReason:
        """The views with the better direction's score and the other's total for `decide`.

        Or why `decide` would refuse the close whatever the account's state: the answers are its.
        """
        if not self._is_warm and not self._warmed_up():
            return RefusalReason.WARMING_UP
        threshold = self._parameters.threshold
        window = self._rolling[Timeframe.M15].window()
        price = float(window.close[-1])
        ceilings = [
            (most, votes)
            for votes in self._hopeful_votes()
            if (most := h4_h1_ceiling(votes, price)) >= threshold
        ]
        if not ceilings:
            return RefusalReason.BELOW_THRESHOLD
        structure = view_structure(window)
        hopeful = [
            votes
            for most, votes in ceilings
            if most - unreachable_points(structure, len(window), votes.direction) >= threshold
        ]
        if not hopeful:
            return RefusalReason.BELOW_THRESHOLD
        m15 = self._view(Timeframe.M15)
        totals = [total_at(votes, m15) for votes in hopeful]
        best = totals.index(max(totals))
        if totals[best] < threshold:
            return RefusalReason.BELOW_THRESHOLD
        votes = hopeful[best]
        # A direction without hope is below the threshold, so it cannot be level with this one.
        other_total = totals[1 - best] if len(totals) > 1 else 0.0
        return (votes.h4, votes.h1, m15), (score_at(votes, m15), other_total)

    def _hopeful_votes(self) -> list[H4H1Votes]:
        threshold = self._parameters.threshold
        if self._h4_votes is None:
            h4 = self._view(Timeframe.H4)
            both = [h4_votes(h4, direction) for direction in Direction]
            self._h4_votes = [votes for votes in both if h4_ceiling(votes) >= threshold]
        if self._h4_h1_votes is None:
            self._h4_h1_votes = [
                h4_h1_votes(votes, self._view(Timeframe.H1)) for votes in self._h4_votes
            ]
        return self._h4_h1_votes

    def _warmed_up(self) -> bool:
        shortest = min(len(rolling.window()) for rolling in self._rolling.values())
        self._is_warm = shortest >= max(self._parameters.warm_up_candles, 1)
        return self._is_warm

    def _view(self, timeframe: Timeframe) -> TimeframeView:
        found = self._views.get(timeframe)
        if found is None:
            found = self._views[timeframe] = view(self._rolling[timeframe].window(), timeframe)
        return found
