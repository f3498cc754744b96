"""The backtest's book: its trades, moved along, and the exposure that they make."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.confluence.signal import TradingSignal
from signals_app.market.candle import Candles
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Tick
from trades_app.lifecycle.candle_fills import first_touched
from trades_app.lifecycle.exposure import exposure_before, memory_ms
from trades_app.lifecycle.fills import Moved
from trades_app.lifecycle.machine import open_trade
from trades_app.lifecycle.trade import Trade, TradeEvent


class _History:
    """A trade as it stands and everything that happened to it."""

    __slots__ = ("events", "trade")

    def __init__(self, moved: Moved) -> None:
        self.trade: Trade = moved[0]
        self.events: list[TradeEvent] = list(moved[1])


class BacktestAccount:
    """One instrument's trades over a backtest."""

    def __init__(self, instrument: Instrument, parameters: Parameters) -> None:
        self._instrument, self._parameters = instrument, parameters
        self._histories: list[_History] = []
        #: From here on the trades may still matter to the exposure; before, only their sum.
        self._first_remembered = 0
        self._settled = Decimal(0)
        self._open: list[_History] = []

    @property
    def has_open_trades(self) -> bool:
        """Whether ticks can still move a trade."""
        return bool(self._open)

    def open(self, signal: TradingSignal, entry: Tick, rate: Decimal | None) -> None:
        """Open the signal's trade at its entry tick, with the rate that it was decided with."""
        history = _History(open_trade(signal, self._instrument, entry, self._parameters, rate))
        self._histories.append(history)
        self._open.append(history)

    def move(self, mover: Callable[[Trade], Moved]) -> None:
        """Let ``mover`` take each open trade along, in the order in which they opened."""
        for history in self._open:
            history.trade, events = mover(history.trade)
            history.events += events
        self._open = [history for history in self._open if history.trade.is_open]

    def first_touched(self, candles: Candles, spreads: Float64s) -> int | None:
        """The place of the first candle that may change an open trade, `None` for none."""
        places = [first_touched(history.trade, candles, spreads) for history in self._open]
        return min((place for place in places if place is not None), default=None)

    def exposure_before(self, entry: Tick) -> Exposure:
        """The account just before the tick, up to which the trades were moved."""
        self._settle(entry.time_ms - memory_ms(self._parameters))
        return exposure_before(
            entry.ordinal,
            entry.time_ms,
            [
                (history.trade, history.events)
                for history in self._histories[self._first_remembered :]
            ],
            self._instrument,
            self._parameters,
            self._settled,
        )

    def histories(self) -> tuple[tuple[Trade, Sequence[TradeEvent]], ...]:
        """All trades with their events, in the order in which they opened."""
        return tuple((history.trade, tuple(history.events)) for history in self._histories)

    def _settle(self, forgotten_ms: int) -> None:
        # Only the oldest in a row: one that stays open long holds the later ones back, no more.
        while self._first_remembered < len(self._histories):
            trade = self._histories[self._first_remembered].trade
            if trade.exit_time_ms is None or trade.exit_time_ms >= forgotten_ms:
                break
            self._settled += trade.profit_loss
            self._first_remembered += 1
