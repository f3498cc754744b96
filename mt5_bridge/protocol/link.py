"""The connector's side of the conversation, without sockets, files or clocks.

The driver hands in what the server said and what time it is, and asks what to send. Which ticks
exist, and under which numbers, is the `Record`'s to know: the spool on disk, or a list in a test.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import ErrorCode, Message, Role

MAXIMUM_IN_FLIGHT: Final = 50_000
"""Ticks that may be sent and not yet acknowledged."""
HISTORY_PATIENCE: Final = 10.0
"""Seconds that ticks wait for the server to confirm the history."""
CANDLE_MS: Final = 900_000
"""The shortest candle: when one may have ended without a tick, the server is told at once."""
MAXIMUM_CLOCK_ERROR_MS: Final = 5_000
MAXIMUM_REPORTS: Final = 100
"""Reports that the server has not confirmed: older ones are given up."""

_SILENCES: Final = 2.5
_FATAL: Final = frozenset({ErrorCode.AUTH_FAILED, ErrorCode.AUTH_TIMEOUT, ErrorCode.TOKEN_EXPIRED})


class Record(Protocol):
    """The numbered ticks that the connector still holds, times never going back."""

    def last_seq(self, symbol: str) -> int | None:
        """Return the number given last; None where numbering has not begun."""

    def first_seq(self, symbol: str) -> int:
        """Return the number of the first tick still held; the next one's where there is none."""

    def time_at(self, symbol: str, seq: int) -> int | None:
        """Return the time of a tick in milliseconds; None where it is not held."""

    def seq_at(self, symbol: str, time_ms: int) -> int:
        """Return the number of the last tick not later than ``time_ms``."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the driver's clocks show: seconds that never go back, and Unix milliseconds."""

    seconds: float
    wall_ms: int


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The server knows the connector under this name."""

    connector: str


@dataclass(frozen=True, slots=True)
class RoleGiven:
    """The connector's role for a symbol, at login and when it changes."""

    symbol: str
    role: Role


@dataclass(frozen=True, slots=True)
class NumberingWanted:
    """The record has not begun to number: it does so above `after_seq`, and calls `resume`.

    `time_ms` is the time of the symbol's last stored tick, whoever sent it; None without any.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class NumbersOvertaken:
    """The server remembers higher numbers than the record: it is an old one or was lost.

    What is unacknowledged is renumbered above `after_seq`; then `resume` is called.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class TicksMissing:
    """The server wants ticks from `after_seq + 1` on, and the record no longer holds the first.

    The source has to give them again, as it did before; then `resume` is called.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """Ticks after `after_seq` are sent from now on; the server has the others.

    `time_ms` is the time of the symbol's last stored tick, None where there is none.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server has dealt with everything up to `seq`."""

    symbol: str
    seq: int


@dataclass(frozen=True, slots=True)
class HistoryStored:
    """The server kept so many candles of a history."""

    symbol: str
    timeframe: str
    stored: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server reports an error. `is_final` where it is about to close the connection."""

    code: str
    message: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class ClockIsWrong:
    """This machine's clock is `ahead_ms` before the server's (negative: behind).

    It comes once for an error, and again when the error has changed, be it to nothing.
    """

    ahead_ms: int


Event: TypeAlias = (
    LoggedIn
    | RoleGiven
    | NumberingWanted
    | NumbersOvertaken
    | TicksMissing
    | Resumed
    | Acknowledged
    | HistoryStored
    | ServerError
    | ClockIsWrong
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Ticks to send next: `after_seq + 1` up to `up_to_seq` of one symbol."""

    symbol: str
    after_seq: int
    up_to_seq: int


@dataclass(slots=True)
class _Line:
    """What is known of one symbol on this connection. `role` is None before the login."""

    role: Role | None = None
    is_resumed: bool = False
    sent_seq: int = 0
    acknowledged_seq: int = 0
    told_ms: int = 0


@dataclass(slots=True)
class _Report:
    """Something to tell the server, and how many heartbeats had gone out on this connection then.

    `heartbeats` is None where it has not been sent on this connection.
    """

    error: wire.Error
    heartbeats: int | None = None


@dataclass(slots=True)
class Link:
    """One connector's conversation with the server, over all its connections."""

    record: Record
    symbols: tuple[str, ...]
    token: str = ""
    maximum_in_flight: int = MAXIMUM_IN_FLIGHT
    token_expires_ms: int | None = None
    clock_error_ms: int = 0
    is_logged_in: bool = False
    _lines: dict[str, _Line] = field(default_factory=dict)
    _history: tuple[wire.History, ...] = ()
    _unconfirmed: set[tuple[str, str]] = field(default_factory=set)
    _history_until: float = 0.0
    _outgoing: list[Message] = field(default_factory=list)
    _reports: list[_Report] = field(default_factory=list)
    _heartbeats: int = 0
    _answers: int = 0
    _interval: float = wire.HEARTBEAT_INTERVAL
    _heartbeat_at: float = 0.0
    _heard_at: float = 0.0
    _compared: tuple[int, float] | None = None
    _told_clock_error_ms: int = 0

    def connected(self, moment: Moment) -> None:
        """Begin anew on a fresh connection: nothing is known of what the old one carried."""
        self.is_logged_in = False
        self.token_expires_ms = None
        self._outgoing.clear()
        self._heartbeats = self._answers = 0
        for report in self._reports:
            report.heartbeats = None
        self._unconfirmed.clear()
        self._lines = {symbol: _Line() for symbol in self.symbols}
        self._heard_at = moment.seconds

    def offer_history(self, history: Iterable[wire.History]) -> None:
        """Send these candles before the ticks of every connection from now on."""
        self._history = tuple(history)

    def renew(self, token: str) -> None:
        """Show a new token, on the open connection where there is one."""
        self.token = token
        if self.is_logged_in:
            self.token_expires_ms = None
            self._outgoing.append(self._auth())

    def report(self, code: ErrorCode, message: str, moment: Moment) -> None:
        """Tell the server of something that went wrong here, or is right again.

        It is sent on every connection until a heartbeat behind it has been answered: the server
        reads in order. Of reports that wait for a connection the newest of each code is kept.
        """
        now = wire.iso(self.server_ms(moment))
        kept = [
            report
            for report in self._reports
            if report.heartbeats is not None or report.error.code != code
        ]
        error = wire.Error(code=code, message=message[:2000], timestamp=now)
        self._reports = [*kept, _Report(error)][-MAXIMUM_REPORTS:]

    def receive(self, frame: bytes | str, moment: Moment) -> list[Event]:
        """Return what follows from a frame of the server; raises `wire.BadMessage`."""
        message = wire.decode_from_server(frame)
        self._heard_at = moment.seconds
        match message:
            case wire.Connected():
                self._outgoing.append(self._auth())
                return self._compare_clocks(message.server_time, moment)
            case wire.AuthOk():
                return self._log_in(message, moment)
            case wire.HeartbeatAck():
                self._confirm_reports()
                return self._compare_clocks(message.timestamp, moment)
            case wire.Ack():
                return self._acknowledge(message)
            case wire.HistoryAck():
                self._unconfirmed.discard((message.symbol, message.timeframe))
                return [HistoryStored(message.symbol, message.timeframe, message.stored)]
            case wire.Error():
                return self._hear_error(message)
            case _:
                return []

    def resume(self, symbol: str, after_seq: int, time_ms: int | None) -> Resumed:
        """Send ``symbol``'s ticks from ``after_seq + 1`` on; return from where on it really is.

        ``time_ms`` is the time of the last stored tick. Where it is later than our own tick
        ``after_seq``, another connector stored ticks since: ours up to that time are left out.
        """
        line = self._lines.setdefault(symbol, _Line())
        own_ms = self.record.time_at(symbol, after_seq)
        if time_ms is not None and (own_ms is None or own_ms < time_ms):
            after_seq = max(after_seq, self.record.seq_at(symbol, time_ms))
        line.is_resumed = True
        line.sent_seq = line.acknowledged_seq = after_seq
        line.told_ms = max(line.told_ms, time_ms or 0)
        return Resumed(symbol, after_seq, time_ms)

    def outgoing(self) -> list[Message]:
        """Return the messages to send before any ticks, in order; they count as sent."""
        messages, self._outgoing = self._outgoing, []
        if self.is_logged_in:
            for report in self._reports:
                if report.heartbeats is None:
                    report.heartbeats = self._heartbeats
                    messages.append(report.error)
        return messages

    def next_slice(self, moment: Moment, at_most: int) -> Slice | None:
        """Return which ticks to send next; None where there are none or the window is full."""
        if not self.is_logged_in or self._waits_for_history(moment):
            return None
        for symbol, line in self._lines.items():
            room = self.maximum_in_flight - (line.sent_seq - line.acknowledged_seq)
            last_seq = self.record.last_seq(symbol) or 0
            up_to = min(last_seq, line.sent_seq + min(room, at_most))
            if self._may_send(line) and up_to > line.sent_seq:
                return Slice(symbol, line.sent_seq, up_to)
        return None

    def sent(self, symbol: str, last_seq: int, last_time_ms: int) -> None:
        """Note that ticks up to ``last_seq`` were handed to the connection."""
        line = self._lines[symbol]
        line.sent_seq = last_seq
        line.told_ms = max(line.told_ms, last_time_ms)

    def heartbeat(self, watermarks: Mapping[str, int], moment: Moment) -> wire.Heartbeat | None:
        """Return the heartbeat that is due, if one is; it counts as sent.

        ``watermarks`` are the source's, by symbol. One is told only where every tick of the record
        has been sent. Besides the regular ones, a heartbeat is due as soon as a watermark passes
        the end of a candle that no tick has passed.
        """
        if not self.is_logged_in:
            return None
        told = {
            symbol: watermark
            for symbol, watermark in watermarks.items()
            if (line := self._lines.get(symbol)) is not None
            and self._may_send(line)
            and line.sent_seq >= (self.record.last_seq(symbol) or 0)
            and watermark >= line.told_ms
        }
        passes = any(
            watermark // CANDLE_MS > self._lines[symbol].told_ms // CANDLE_MS
            for symbol, watermark in told.items()
        )
        if moment.seconds < self._heartbeat_at and not passes:
            return None
        for symbol, watermark in told.items():
            self._lines[symbol].told_ms = watermark
        self._heartbeat_at = moment.seconds + self._interval
        self._heartbeats += 1
        return wire.Heartbeat(timestamp=wire.iso(self.server_ms(moment)), watermark=told)

    def is_stalled(self, moment: Moment) -> bool:
        """Return whether the server has been silent for so long that the line must be dead."""
        return moment.seconds - self._heard_at > _SILENCES * self._interval

    def wants_new_token(self, moment: Moment) -> bool:
        """Return whether the token ends so soon that the next one is to be fetched."""
        if self.token_expires_ms is None:
            return False
        return self.server_ms(moment) >= self.token_expires_ms

    def server_ms(self, moment: Moment) -> int:
        """Return the time by the server's clock, as far as it is known.

        From the last comparison on our seconds are counted, which no correction of this machine's
        clock moves; before the first one its clock is all there is.
        """
        if self._compared is None:
            return moment.wall_ms
        server_ms, seconds = self._compared
        return server_ms + round((moment.seconds - seconds) * 1000)

    def role(self, symbol: str) -> Role | None:
        """Return the role for a symbol; None where there is no login or it is not allowed."""
        line = self._lines.get(symbol)
        return line.role if line and self.is_logged_in else None

    def sent_seq(self, symbol: str) -> int:
        """Return the number of the last tick that was handed to this connection."""
        line = self._lines.get(symbol)
        return line.sent_seq if line else 0

    def in_flight(self, symbol: str) -> int:
        """Return how many ticks are sent and not acknowledged."""
        line = self._lines.get(symbol)
        return line.sent_seq - line.acknowledged_seq if line else 0

    def _may_send(self, line: _Line) -> bool:
        return line.is_resumed and line.role is Role.ACTIVE

    def _auth(self) -> wire.Auth:
        return wire.Auth(token=self.token, symbols=list(self.symbols))

    def _confirm_reports(self) -> None:
        self._answers += 1
        self._reports = [
            report
            for report in self._reports
            if report.heartbeats is None or report.heartbeats >= self._answers
        ]

    def _compare_clocks(self, server_time: str, moment: Moment) -> list[Event]:
        """Take over the server's clock; tell of an error that is large and was not told yet."""
        try:
            server_ms = wire.milliseconds(server_time)
        except ValueError:
            return []
        self._compared = server_ms, moment.seconds
        self.clock_error_ms = moment.wall_ms - server_ms
        if abs(self.clock_error_ms - self._told_clock_error_ms) <= MAXIMUM_CLOCK_ERROR_MS:
            return []
        self._told_clock_error_ms = self.clock_error_ms
        return [ClockIsWrong(self.clock_error_ms)]

    def _log_in(self, message: wire.AuthOk, moment: Moment) -> list[Event]:
        """Take up the roles and places of an `auth_ok`, which also comes after a promotion.

        Each one is believed whole: ticks in flight are sent again from `resume` on, and refused by
        their number where the server has them.
        """
        events: list[Event] = [] if self.is_logged_in else [LoggedIn(message.connector)]
        if not self.is_logged_in:
            self._heartbeat_at = moment.seconds
        self.is_logged_in = True
        self._interval = max(message.heartbeat_interval, 0.1)
        self.token_expires_ms = self._renewal_ms(message.expires_at, moment)
        for symbol, line in self._lines.items():
            role = message.role.get(symbol)
            if role is None:
                continue
            if role is not line.role:
                events.append(RoleGiven(symbol, role))
            if role is Role.ACTIVE and line.role is not Role.ACTIVE:
                self._send_history(symbol, moment)
            line.role = role
            events += self._place(symbol, message.resume.get(symbol) or wire.Resume())
        return events

    def _place(self, symbol: str, resume: wire.Resume) -> list[Event]:
        last_seq = self.record.last_seq(symbol)
        # Held back until the driver has put the record right.
        self._lines[symbol].is_resumed = False
        if last_seq is None:
            return [NumberingWanted(symbol, resume.seq, resume.time)]
        if resume.seq > last_seq:
            return [NumbersOvertaken(symbol, resume.seq, resume.time)]
        if self._begins_too_late(symbol, resume):
            return [NumberingWanted(symbol, resume.seq, resume.time)]
        if self._is_missing(symbol, resume):
            return [TicksMissing(symbol, resume.seq, resume.time)]
        return [self.resume(symbol, resume.seq, resume.time)]

    def _begins_too_late(self, symbol: str, resume: wire.Resume) -> bool:
        """Return whether all of our ticks are later than the last one that another connector sent.

        The server has none of ours then, so that numbers cannot tell what lies between.
        """
        if resume.seq or resume.time is None or not self.record.last_seq(symbol):
            return False
        first_seq = self.record.first_seq(symbol)
        return first_seq == 1 and self.record.seq_at(symbol, resume.time) < first_seq

    def _is_missing(self, symbol: str, resume: wire.Resume) -> bool:
        """Return whether the server may need ticks between its last one and our first."""
        first_seq = self.record.first_seq(symbol)
        if first_seq <= resume.seq + 1:
            return False
        # What another connector stored since is not needed from us, held or not.
        return resume.time is None or self.record.seq_at(symbol, resume.time) < first_seq

    def _renewal_ms(self, expires_at: str | None, moment: Moment) -> int | None:
        """Return when to fetch the next token: after four fifths of what is left of this one."""
        if expires_at is None:
            return None
        try:
            left = wire.milliseconds(expires_at) - self.server_ms(moment)
        except ValueError:
            return None
        return self.server_ms(moment) + max(left * 4 // 5, 1000)

    def _send_history(self, symbol: str, moment: Moment) -> None:
        for history in self._history:
            if history.symbol == symbol:
                self._outgoing.append(history)
                self._unconfirmed.add((history.symbol, history.timeframe))
                self._history_until = moment.seconds + HISTORY_PATIENCE

    def _waits_for_history(self, moment: Moment) -> bool:
        return bool(self._unconfirmed) and moment.seconds < self._history_until

    def _acknowledge(self, message: wire.Ack) -> list[Event]:
        line = self._lines.get(message.symbol)
        if line is None or message.seq <= line.acknowledged_seq:
            return []
        line.acknowledged_seq = min(message.seq, line.sent_seq)
        return [Acknowledged(message.symbol, line.acknowledged_seq)]

    def _hear_error(self, message: wire.Error) -> list[Event]:
        events: list[Event] = [ServerError(message.code, message.message, message.code in _FATAL)]
        if message.code == ErrorCode.STANDBY:
            named = [message.symbol] if message.symbol else list(self._lines)
            # Without a name it can only be about the one symbol there is.
            if len(named) == 1 and (line := self._lines.get(named[0])) and line.role:
                line.role = Role.STANDBY
                events.append(RoleGiven(named[0], Role.STANDBY))
        return events
