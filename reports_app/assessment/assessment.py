"""A backtest assessed: its balance, Monte Carlo, random entries and the settings tried."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from reports_app.assessment import monte_carlo, random_entries
from reports_app.assessment.planned_trades import PlannedCosts, PlannedTrades
from reports_app.backtest.result import BacktestResult
from reports_app.performance.equity import Equity, equity_of
from reports_app.performance.statistics import TradeResult, result_of
from signals_app.confluence.sizing import money_of_move
from signals_app.market.candle import Candles
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s
from trades_app.lifecycle.trade import Trade

_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """A backtest's trades and what they are worth.

    `monte_carlo` and `random_entries` are `None` where there are too few trades to ask.
    `standard_error` is that of the mean R (`None` below two trades). `settings_tried` counts the
    settings tried on the same data, `None` where nobody counted.
    """

    results: tuple[TradeResult, ...]
    equity: Equity
    r_multiples: Float64s
    standard_error: float | None
    monte_carlo: monte_carlo.MonteCarlo | None
    random_entries: random_entries.RandomEntries | None
    settings_tried: int | None

    @property
    def luckiest_r(self) -> float | None:
        """The mean R that the best of the settings tried would show if none had an edge."""
        if self.settings_tried is None or self.standard_error is None:
            return None
        return expected_maximum(self.settings_tried) * self.standard_error


def assess(
    result: BacktestResult,
    candles: Candles,
    spreads: Float64s,
    *,
    seed: int,
    settings_tried: int | None = None,
) -> Assessment:
    """Assess a result; ``candles`` and ``spreads`` (price) are the market's.

    The same ``seed`` gives the same answer.
    """
    results = tuple(
        result_of(signal, trade)
        for signal, (trade, _) in zip(result.signals, result.trades, strict=True)
    )
    closed = [trade for trade, _ in result.trades if not trade.is_open]
    multiples = np.array(
        [float(trade.r_multiple) for trade in closed if trade.r_multiple is not None],
        dtype=np.float64,
    )
    equity = equity_of(results, float(result.instrument.starting_balance))
    count = len(multiples)
    return Assessment(
        results=results,
        equity=equity,
        r_multiples=multiples,
        standard_error=float(multiples.std(ddof=1)) / math.sqrt(count) if count > 1 else None,
        monte_carlo=monte_carlo.monte_carlo(equity, multiples, seed=seed),
        random_entries=random_entries.compare_with_random(
            _planned(closed, result.instrument),
            candles,
            spreads,
            seed=seed,
            maximum_hours=result.parameters.maximum_trade_hours,
            triple_swap_day=result.instrument.triple_swap_day,
        ),
        settings_tried=settings_tried,
    )


def expected_maximum(tries: int) -> float:
    """The mean of the largest of so many standard normal numbers; 0 for a single one.

    By the approximation of Bailey and Lopez de Prado, The Deflated Sharpe Ratio (2014).
    """
    if tries < 2:
        return 0.0
    quantile = NormalDist().inv_cdf
    return (1 - _EULER) * quantile(1 - 1 / tries) + _EULER * quantile(1 - 1 / (tries * math.e))


def _planned(trades: list[Trade], instrument: Instrument) -> PlannedTrades:
    def column(values: Iterable[Decimal]) -> Float64s:
        return np.array([float(value) for value in values], dtype=np.float64)

    # What slippage did to the entry is a cost: the levels stand where the quote put them.
    quotes = [t.entry_price - t.costs.slippage * t.direction.sign for t in trades]
    placed = tuple(zip(trades, quotes, strict=True))
    # What one lot earns when price moves by one, so that costs of a lot are distances of price.
    worths = [
        money_of_move(
            instrument, lots=Decimal(1), distance=Decimal(1), price=quote, rate=trade.rate
        )
        for trade, quote in placed
    ]
    worthy = tuple(zip(trades, worths, strict=True))
    return PlannedTrades(
        entry_ms=np.array([trade.entry_time_ms for trade in trades], dtype=np.int64),
        sign=np.array([trade.direction.sign for trade in trades], dtype=np.int64),
        stop=column(abs(quote - trade.initial_stop_loss) for trade, quote in placed),
        target_1=column(abs(quote - trade.take_profit_1) for trade, quote in placed),
        target_2=column(abs(quote - trade.take_profit_2) for trade, quote in placed),
        costs=PlannedCosts(
            column(trade.costs.commission_per_lot / worth for trade, worth in worthy),
            column(
                trade.costs.swap_per_lot_night(trade.direction) / worth for trade, worth in worthy
            ),
            column(trade.costs.slippage for trade in trades),
        ),
    )
