"""The connector's side of the conversation, without sockets, files or clocks.

The driver hands in the server's frames and what time it is, and asks what to send.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.delivery import Delivery, NumberedTicks, TickRange
from mt5_bridge.protocol.gateway_clock import ClockReading, GatewayClock
from mt5_bridge.protocol.heartbeats import Heartbeats
from mt5_bridge.protocol.history_delivery import HistoryDelivery
from mt5_bridge.protocol.link_events import Event, HistoryStored, LoggedIn, ServerError
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.reports import ReportQueue
from mt5_bridge.protocol.wire import ErrorCode, Message, Role

MAXIMUM_IN_FLIGHT: Final = 50_000
"""Ticks that may be sent and not yet acknowledged."""

_FINAL: Final = frozenset(
    {
        ErrorCode.AUTH_FAILED,
        ErrorCode.AUTH_TIMEOUT,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.NAME_IN_USE,
    }
)
_LONGEST_MESSAGE: Final = 2000


@dataclass(slots=True)
class Link:
    """One connector's conversation with the server, over all its connections."""

    ticks: NumberedTicks
    login: Login
    maximum_in_flight: int = MAXIMUM_IN_FLIGHT
    clock: GatewayClock = field(default_factory=GatewayClock)
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    history: HistoryDelivery = field(default_factory=HistoryDelivery)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    _reports: ReportQueue = field(default_factory=ReportQueue)
    _outgoing: list[Message] = field(default_factory=list)

    def connected(self, reading: ClockReading) -> None:
        """Begin anew on a fresh connection: nothing is known of what the old one carried."""
        self._outgoing.clear()
        self.login.connected()
        self.heartbeats.connected(reading.seconds)
        self.history.connected()
        self._reports.connected()
        self.deliveries = {symbol: Delivery(symbol, self.ticks) for symbol in self.login.symbols}

    def disconnected(self) -> None:
        self.login.is_done = False

    def receive(self, frame: bytes | str, reading: ClockReading) -> list[Event]:
        """What follows from a frame of the server; raises `wire.BadMessage`."""
        message = wire.decode_from_server(frame)
        self.heartbeats.server_heard(reading.seconds)
        match message:
            case wire.Connected():
                self._outgoing.append(self.login.auth())
                return [*self.clock.compare(message.server_time, reading)]
            case wire.AuthOk():
                return self._log_in(message, reading)
            case wire.HeartbeatAck():
                self.heartbeats.answered += 1
                self._reports.confirm(self.heartbeats.answered)
                return [*self.clock.compare(message.timestamp, reading)]
            case wire.Ack():
                delivery = self.deliveries.get(message.symbol)
                return [*delivery.acknowledge(message.seq)] if delivery else []
            case wire.HistoryAck():
                self.history.confirm(message.symbol, message.timeframe)
                return [HistoryStored(message.symbol, message.timeframe, message.stored)]
            case wire.Error():
                return self._server_error(message)
            case _:
                return []

    def report(self, code: ErrorCode, message: str, reading: ClockReading) -> None:
        """Send the server an `error` about something that went wrong here, or is right again.

        It is sent on this connection and the next ones until the server is known to have read it.
        """
        timestamp = wire.iso(self.clock.now_ms(reading))
        error = wire.Error(code=code, message=message[:_LONGEST_MESSAGE], timestamp=timestamp)
        self._reports.add(error)

    def offer_history(self, history: Iterable[wire.History], reading: ClockReading) -> None:
        """Send these candles now where this connector is active, and on every connection."""
        self.history.offer(history)
        for symbol in self.deliveries:
            if self.role(symbol) is Role.ACTIVE:
                self._outgoing += self.history.start(symbol, reading.seconds)

    def renew(self, token: str) -> None:
        """Show a new token, on the open connection where there is one."""
        if auth := self.login.renew(token):
            self._outgoing.append(auth)

    def outgoing(self) -> list[Message]:
        """The messages to send before any ticks, in order; they count as sent."""
        messages, self._outgoing = self._outgoing, []
        if self.login.is_done:
            messages += self._reports.take_unsent(self.heartbeats.sent)
        return messages

    def next_range(self, reading: ClockReading, at_most: int) -> TickRange | None:
        """Which ticks to send next; None where there are none or the window is full."""
        if not self.login.is_done or self.history.holds_ticks_back(reading.seconds):
            return None
        ranges = (
            delivery.next_range(at_most, self.maximum_in_flight)
            for delivery in self.deliveries.values()
        )
        return next(filter(None, ranges), None)

    def heartbeat(
        self, watermarks: Mapping[str, int], reading: ClockReading
    ) -> wire.Heartbeat | None:
        """The heartbeat that is due, if one is; it counts as sent.

        ``watermarks`` are the source's, by symbol; one goes out only behind every tick that is
        held. Besides the regular ones, a heartbeat is due as soon as a watermark passes the end of
        a candle that no tick has passed.
        """
        if not self.login.is_done:
            return None
        watermarks = {
            symbol: watermark_ms
            for symbol, watermark_ms in watermarks.items()
            if symbol in self.deliveries and self.deliveries[symbol].may_report(watermark_ms)
        }
        ends_candle = any(
            self.deliveries[symbol].ends_candle(watermark_ms)
            for symbol, watermark_ms in watermarks.items()
        )
        if not (ends_candle or self.heartbeats.is_due(reading.seconds)):
            return None
        for symbol, watermark_ms in watermarks.items():
            self.deliveries[symbol].covered_ms = watermark_ms
        self.heartbeats.count_sent(reading.seconds)
        now = wire.iso(self.clock.now_ms(reading))
        return wire.Heartbeat(timestamp=now, watermark=dict(watermarks))

    def role(self, symbol: str) -> Role | None:
        """The role for a symbol; None where there is no login or it is not allowed."""
        delivery = self.deliveries.get(symbol)
        return delivery.role if delivery and self.login.is_done else None

    def _log_in(self, message: wire.AuthOk, reading: ClockReading) -> list[Event]:
        """Take up the roles and places of an `auth_ok`, which also comes after a promotion.

        Each one is believed whole: ticks in flight are sent again from `resume` on, and refused by
        their number where the server has them.
        """
        events: list[Event] = [] if self.login.is_done else [LoggedIn(message.connector)]
        self.heartbeats.set_interval(message.heartbeat_interval)
        self.login.accept(message.expires_at, self.clock.now_ms(reading))
        for symbol, delivery in self.deliveries.items():
            role = message.role.get(symbol)
            if role is None:
                continue
            if role is Role.ACTIVE and delivery.role is not Role.ACTIVE:
                self._outgoing += self.history.start(symbol, reading.seconds)
            events += delivery.assign(role)
            events.append(delivery.place(message.resume.get(symbol) or wire.Resume()))
        return events

    def _server_error(self, message: wire.Error) -> list[Event]:
        events: list[Event] = [ServerError(message.code, message.message, message.code in _FINAL)]
        if message.code == ErrorCode.STANDBY:
            named = [message.symbol] if message.symbol else list(self.deliveries)
            # Without a name it can only be about the one symbol there is.
            if len(named) == 1 and (delivery := self.deliveries.get(named[0])) and delivery.role:
                events += delivery.assign(Role.STANDBY)
        return events
