"""What a backtest gives: the signals, the trades and the counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import DAY_MS
from signals_app.market.candle import Timeframe
from signals_app.market.encoding import as_json
from signals_app.market.instrument import Instrument
from trades_app.lifecycle.exported import trade_as_json
from trades_app.lifecycle.trade import Trade, TradeEvent

_WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What the engine said and did over a file.

    `trades` are in the order of their signals, each with its events. `refusals` counts the
    decisions without a signal by reason, `candles` what was built, without history.
    `ambiguous_candles` counts, for each trade, the candles whose order of events had to be assumed:
    none where there are true ticks; where the ticks are those `of_minutes`, the M1 candles whose
    shape decided. `first_time_ms` and `last_time_ms` span the file, `None` where it
    was empty; closes were decided from `decided_from_ms` on. `ticks_refused` of the file are left
    out, as the gateway refuses them: their price jumped.
    """

    instrument: Instrument
    parameters: Parameters
    signals: tuple[TradingSignal, ...]
    trades: tuple[tuple[Trade, Sequence[TradeEvent]], ...]
    refusals: Mapping[RefusalReason, int]
    candles: Mapping[Timeframe, int]
    ticks: int
    ambiguous_candles: int
    first_time_ms: int | None
    last_time_ms: int | None
    decided_from_ms: int | None
    of_minutes: bool = False
    ticks_refused: int = 0

    @property
    def decisions(self) -> int:
        """How many M15 closes were decided."""
        return len(self.signals) + sum(self.refusals.values())

    @property
    def signals_per_week(self) -> float | None:
        """Signals by week of the span that was decided, `None` where it is empty."""
        if self.decided_from_ms is None or self.last_time_ms is None:
            return None
        span_ms = self.last_time_ms - self.decided_from_ms
        return round(len(self.signals) * _WEEK_MS / span_ms, 2) if span_ms > 0 else None


def result_as_json(result: BacktestResult) -> dict[str, Any]:
    """The signals and trades exactly as `manage.py export` prints them, and the counts."""
    return {
        "signals": [as_json(signal) for signal in result.signals],
        "trades": [trade_as_json(trade, events) for trade, events in result.trades],
        "decisions": result.decisions,
        "refusals": {reason.value: count for reason, count in sorted(result.refusals.items())},
        "candles": {timeframe.value: count for timeframe, count in result.candles.items()},
        "ticks": result.ticks,
        "ticks_refused": result.ticks_refused,
        "ambiguous_candles": result.ambiguous_candles,
    }
