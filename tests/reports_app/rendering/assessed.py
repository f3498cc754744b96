"""A backtest of a market that wanders, assessed: for everything that renders one."""

from dataclasses import replace
from functools import cache

import numpy as np

from reports_app.assessment.assessment import assess
from reports_app.backtest.engine import run
from reports_app.rendering.backtest_report import BacktestReport
from signals_app.market.aggregation import aggregate
from signals_app.market.candle import Candles, Timeframe
from tests.reports_app.backtest.markets import MONDAY_MS, wandering_ticks
from tests.reports_app.backtest.test_engine import EAGER, GOLD

DAY_MS = 86_400_000


@cache
def a_report() -> BacktestReport:
    """Five days, decided from the second on."""
    ticks = wandering_ticks()
    result = run(GOLD, EAGER, [ticks], {}, decide_from_ms=MONDAY_MS + DAY_MS)
    _, closed = aggregate({}, ticks)
    candles = Candles.of(each.candle for each in closed if each.timeframe is Timeframe.M15)
    spreads = np.full(len(candles), 0.2)
    assessment = assess(result, candles, spreads, seed=1, settings_tried=3)
    return BacktestReport(result, assessment, "ticks, <b>UTC</b>", "the defaults")


def an_empty_report() -> BacktestReport:
    """A file without anything in the span that was asked for."""
    result = run(GOLD, EAGER, [], {})
    nothing = Candles.of(())
    assessment = assess(result, nothing, np.array([]), seed=1)
    return replace(a_report(), result=result, assessment=assessment)
