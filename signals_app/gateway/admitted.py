"""What an admitted connector may say, and what follows from it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import BadMessage, ErrorCode, Role, Row
from signals_app.gateway import replies
from signals_app.gateway.actions import (
    Action,
    Actions,
    Dropped,
    RecordEvent,
    RenewLeases,
    StoreHistory,
    StoreWatermark,
)
from signals_app.gateway.history_check import history_fault
from signals_app.gateway.limits import MAXIMUM_AHEAD_MS
from signals_app.gateway.roles import SymbolRoles
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import TIMEFRAMES, Timeframe

#: What a connector may report that is kept as an event; other errors are logged alone.
REPORTED: Final = frozenset(
    {ErrorCode.MT5_DISCONNECTED, ErrorCode.MT5_RECONNECTED, ErrorCode.SYMBOL_UNAVAILABLE}
)


@dataclass(frozen=True, slots=True)
class AdmittedConnector:
    """A connector by its token, and its roles. All times are Unix milliseconds."""

    claims: Claims
    roles: SymbolRoles

    def ticks(self, message: wire.TickMessage | wire.TickBatch, now_ms: int) -> Actions:
        """Ticks are stored, or dropped on standby."""
        symbol = message.symbol
        if symbol not in self.roles.by_symbol:
            return (replies.forbidden(symbol, self.claims, now_ms),)
        rows: Sequence[Row]
        if isinstance(message, wire.TickMessage):
            rows = (Row(message.time_ms, message.bid, message.ask),)
        else:
            rows = message.rows
        if not rows:
            return ()
        action = self.roles.route(symbol, message.seq, rows, now_ms)
        if isinstance(action, Dropped) and self.roles.is_to_be_warned(symbol):
            text = "another connector is active"
            return (replies.error(ErrorCode.STANDBY, text, now_ms, symbol), action)
        return (action,)

    def heartbeat(self, message: wire.Heartbeat, now_ms: int) -> Actions:
        """A heartbeat is answered, renews leases and may carry watermarks."""
        renewed = RenewLeases(self.roles.symbols_as(Role.ACTIVE))
        actions: list[Action] = [replies.heartbeat_ack(now_ms), renewed]
        for symbol, time_ms in message.watermark.items():
            role = self.roles.by_symbol.get(symbol)
            if role is None:
                actions.append(replies.forbidden(symbol, self.claims, now_ms))
            elif time_ms > now_ms + MAXIMUM_AHEAD_MS:
                text = "watermark in the future"
                actions.append(replies.error(ErrorCode.BAD_TICK, text, now_ms, symbol))
            elif role is Role.ACTIVE:
                actions.append(StoreWatermark(symbol, time_ms))
        return tuple(actions)

    def history(self, message: wire.History, now_ms: int) -> Actions:
        """Closed candles are stored; raises `BadMessage` where they cannot be right."""
        if message.symbol not in self.roles.by_symbol:
            return (replies.forbidden(message.symbol, self.claims, now_ms),)
        try:
            timeframe = Timeframe(message.timeframe)
        except ValueError:
            timeframe = None
        if timeframe not in TIMEFRAMES:
            raise BadMessage(f"history of timeframe {message.timeframe!r}")
        fault = history_fault(message.rows, timeframe, now_ms)
        if fault is not None:
            raise BadMessage(fault)
        return (StoreHistory(message.symbol, timeframe, message.rows),)

    def error(self, message: wire.Error, now_ms: int) -> Actions:
        """Errors of the terminal are recorded, others ignored; only of symbols that are its own."""
        if message.symbol is not None and message.symbol not in self.roles.by_symbol:
            return (replies.forbidden(message.symbol, self.claims, now_ms),)
        try:
            code = ErrorCode(message.code)
        except ValueError:
            return ()
        if code not in REPORTED:
            return ()
        return (RecordEvent(code, message.symbol or "", message.message),)
