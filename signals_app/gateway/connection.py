"""One connector's conversation, without sockets and clocks: frames and times in, actions out.

The driver carries the actions out in their order and tells the connection what came of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.quote_filter import BadTick
from mt5_bridge.protocol.wire import CLOSES, BadMessage, CandleRow, CloseCode, ErrorCode, Role, Row
from signals_app.gateway.append_plan import MAXIMUM_PRICE
from signals_app.gateway.tokens import Claims, TokenRefused
from signals_app.market.candle import TIMEFRAMES, Timeframe

MAX_UNAUTHENTICATED_BYTES: Final = 32 * 1024
"""A peer that has not said who it is may send messages up to this size."""

GOING_AWAY: Final = 1001
TRY_AGAIN_LATER: Final = 1013
"""Close codes of the WebSocket protocol itself: the server ends, or must be resumed from."""

_REPORTS: Final = frozenset(
    {ErrorCode.MT5_DISCONNECTED, ErrorCode.MT5_RECONNECTED, ErrorCode.SYMBOL_UNAVAILABLE}
)
_MAXIMUM_AHEAD_MS: Final = 60_000
# A connector that was promoted resumes within this time, or goes on as if nothing was dropped.
_REWIND_MS: Final = 10_000
_MAXIMUM_VOLUME: Final = 2**53


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may do. `messages_per_second` counts all but ticks, `frames_per_second`
    the frames of ticks; each may come in a burst of ten seconds' worth. Times in milliseconds.
    """

    auth_timeout_ms: int = round(wire.AUTH_TIMEOUT * 1000)
    heartbeat_interval_ms: int = round(wire.HEARTBEAT_INTERVAL * 1000)
    silence_ms: int = round(wire.HEARTBEAT_INTERVAL * 3000)
    bad_messages: int = wire.MAX_BAD_MESSAGES
    messages_per_second: float = 20.0
    frames_per_second: float = 100_000.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message."""

    message: wire.ServerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection after what was sent; nothing it says counts any more."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """The token is good: find out the connector's standing, then call `admitted` or `refused`.

    What the connection offered before is stored first, so that `resume` is exact.
    """

    claims: Claims
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """Store these ticks; `seq` is the first one's, `None` where the connector counts none."""

    symbol: str
    seq: int | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Watermark:
    """No tick of the symbol at or before this time is still to come, behind those to store."""

    symbol: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Ticks of a standby were read and dropped; they are acknowledged up to `seq`, if they count.

    Nothing is lost by that: the connector keeps them for an hour, and sends them when promoted.
    """

    symbol: str
    seq: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Alive:
    """The connector lives; its active role in these symbols goes on."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """Store these closed candles, then call `history_stored`."""

    symbol: str
    timeframe: Timeframe
    rows: Sequence[CandleRow]


@dataclass(frozen=True, slots=True)
class Report:
    """The connector reports something that people should know; `symbol` may be empty."""

    code: ErrorCode
    symbol: str
    message: str


Action: TypeAlias = (
    Send | Close | Admit | Store | Watermark | Dropped | Alive | StoreHistory | Report
)
Actions: TypeAlias = tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A connector's role for one symbol, and where it resumes."""

    role: Role
    seq: int
    time_ms: int | None


@dataclass(slots=True)
class _Bucket:
    """So many a second, and ten seconds' worth at once."""

    per_second: float
    level: float = 0.0
    time_ms: int = 0

    def overflows(self, now_ms: int) -> bool:
        drained = max(now_ms - self.time_ms, 0) * self.per_second / 1000
        self.level = max(self.level - drained, 0.0) + 1
        self.time_ms = now_ms
        return self.level > 10 * self.per_second


@dataclass(slots=True)
class _Tail:
    """The last ticks of a symbol that were dropped on standby.

    They may be later than what the active connector sent last. Then the connector sends them again
    after its promotion, and what it sent before it heard of that (until `rewound_by_ms` at most)
    must not be stored ahead of them.
    """

    seq: int = 0
    time_ms: int = 0
    rewound_by_ms: int = 0


@dataclass(slots=True)
class Connection:
    """The state of one conversation. All times are Unix milliseconds."""

    verify: Callable[[str, float], Claims]
    opened_ms: int
    limits: Limits = field(default_factory=Limits)
    claims: Claims | None = None
    roles: dict[str, Role] = field(default_factory=dict)
    heard_ms: int = 0
    closed: bool = False
    _bad_messages: int = 0
    _warned_standby: set[str] = field(default_factory=set)
    _tails: dict[str, _Tail] = field(default_factory=dict)
    _messages: _Bucket = field(init=False)
    _frames: _Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.heard_ms = self.opened_ms
        self._messages = _Bucket(self.limits.messages_per_second, time_ms=self.opened_ms)
        self._frames = _Bucket(self.limits.frames_per_second, time_ms=self.opened_ms)

    @property
    def is_authenticated(self) -> bool:
        """Return whether the connector has been let in."""
        return self.claims is not None

    @property
    def name(self) -> str:
        """Return the connector's name, empty before it is known."""
        return self.claims.connector if self.claims is not None else ""

    def symbols_as(self, role: Role) -> tuple[str, ...]:
        """Return the symbols in which the connector has this role."""
        return tuple(symbol for symbol, found in self.roles.items() if found is role)

    def greet(self) -> Actions:
        """Return the greeting of a connection that is let in."""
        return (Send(wire.Connected(server_time=wire.iso(self.opened_ms))),)

    def turn_away(self) -> Actions:
        """Return the farewell to a connection that is one too many."""
        return (*self.greet(), *self._end(ErrorCode.TOO_MANY_CONNECTIONS, "no place is free", 0))

    def receive(self, frame: str | bytes, now_ms: int) -> Actions:
        """Return what follows from a frame."""
        if self.closed:
            return ()
        self.heard_ms = now_ms
        if isinstance(frame, bytes):
            return self._bad_message("binary frame", now_ms)
        try:
            message = wire.decode_from_connector(frame)
        except BadMessage as error:
            return self._bad_message(error.reason, now_ms)
        match message:
            case wire.Tick() | wire.TickBatch() if self.claims is not None:
                if self._frames.overflows(now_ms):
                    return self._end(ErrorCode.RATE_LIMITED, "too many frames", now_ms)
                return self._ticks(message, now_ms)
            case _ if self._messages.overflows(now_ms):
                return self._end(ErrorCode.RATE_LIMITED, "too many messages", now_ms)
            case wire.Auth():
                return self._auth(message, now_ms)
            case wire.Unknown():
                # A later version of the protocol may send it in good faith: it is not counted.
                return (_error(ErrorCode.BAD_MESSAGE, f"unknown type {message.type!r}", now_ms),)
            case _ if self.claims is None:
                return self._end(ErrorCode.AUTH_FAILED, "auth comes first", now_ms)
            case wire.Heartbeat():
                return self._heartbeat(message, now_ms)
            case wire.History():
                return self._history(message, now_ms)
            case wire.Error():
                return self._report(message)
            case wire.Tick() | wire.TickBatch():
                raise AssertionError("ticks of unknown connectors were refused above")

    def oversized(self, now_ms: int) -> Actions:
        """Return what follows from a message that was too long to be read."""
        return () if self.closed else self._bad_message("message too long", now_ms)

    def admitted(
        self, claims: Claims, assignments: Mapping[str, Assignment], now_ms: int
    ) -> Actions:
        """Let the connector in, or on, with its place in each symbol."""
        if self.closed:
            return ()
        self.claims = claims
        self.heard_ms = now_ms
        self.roles = {symbol: assignment.role for symbol, assignment in assignments.items()}
        self._tails.clear()
        return (self._auth_ok(assignments),)

    def refused(self, reason: str, now_ms: int) -> Actions:
        """End the conversation: the token is no longer good, or never was."""
        return self._end(ErrorCode.AUTH_FAILED, reason, now_ms)

    def promoted(self, symbol: str, assignment: Assignment, now_ms: int) -> Actions:
        """Tell the connector that it is active from now on, and where to resume."""
        tail = self._tails.get(symbol)
        if tail is not None and tail.time_ms > (assignment.time_ms or 0):
            tail.rewound_by_ms = now_ms + _REWIND_MS
        else:
            self._tails.pop(symbol, None)
        return self._moved(symbol, assignment)

    def demoted(
        self,
        symbol: str,
        assignment: Assignment,
        dropped: Sequence[tuple[int | None, Sequence[Row]]],
    ) -> Actions:
        """Put the connector back to standby; `dropped` runs of its ticks were not stored."""
        for seq, rows in dropped:
            self._drop(symbol, seq, rows)
        return self._moved(symbol, assignment)

    def history_stored(self, symbol: str, timeframe: Timeframe, stored: int) -> Actions:
        """Answer history."""
        return (Send(wire.HistoryAck(symbol=symbol, timeframe=timeframe.value, stored=stored)),)

    def ticks_refused(
        self,
        symbol: str,
        reasons: Mapping[BadTick, int],
        example: str,
        example_seq: int | None,
        now_ms: int,
    ) -> Actions:
        """Tell the connector which of its ticks were refused, all of one step in one message."""
        counts = ", ".join(f"{reason.value} {count}" for reason, count in reasons.items())
        which = "" if example_seq is None else f"seq {example_seq}: "
        return (_error(ErrorCode.BAD_TICK, f"{which}{example} ({counts})", now_ms, symbol),)

    def overdue(self, now_ms: int) -> Actions:
        """Return what follows from the time alone; to be asked about once a second."""
        if self.closed:
            return ()
        if self.claims is None:
            if now_ms - self.opened_ms < self.limits.auth_timeout_ms:
                return ()
            return self._end(ErrorCode.AUTH_TIMEOUT, "no valid auth in time", now_ms)
        if now_ms >= self.claims.expires_at * 1000:
            return self._end(ErrorCode.TOKEN_EXPIRED, "the token has expired", now_ms)
        if now_ms - self.heard_ms >= self.limits.silence_ms:
            # Half-open lines end so; a connector that lives comes back and resumes.
            return self.end(GOING_AWAY, "nothing heard")
        return ()

    def end(self, code: int, reason: str) -> Actions:
        """End the conversation for a reason of the server's own."""
        if self.closed:
            return ()
        self.closed = True
        return (Close(code, reason),)

    def _auth(self, message: wire.Auth, now_ms: int) -> Actions:
        try:
            claims = self.verify(message.token, now_ms / 1000)
        except TokenRefused as refused:
            return self._end(ErrorCode.AUTH_FAILED, str(refused), now_ms)
        if self.claims is not None and claims.connector != self.claims.connector:
            return self._end(ErrorCode.AUTH_FAILED, "the token is of another connector", now_ms)
        asked = tuple(dict.fromkeys(message.symbols))
        forbidden = tuple(symbol for symbol in asked if symbol not in claims.symbols)
        allowed = tuple(symbol for symbol in asked if symbol in claims.symbols)
        errors = tuple(self._forbidden(symbol, now_ms) for symbol in forbidden)
        return (*errors, Admit(claims, allowed)) if allowed else errors

    def _ticks(self, message: wire.Tick | wire.TickBatch, now_ms: int) -> Actions:
        symbol = message.symbol
        role = self.roles.get(symbol)
        if role is None:
            return (self._forbidden(symbol, now_ms),)
        rows: Sequence[Row]
        if isinstance(message, wire.Tick):
            rows = (Row(message.time_ms, message.bid, message.ask),)
        else:
            rows = message.rows
        if not rows:
            return ()
        if role is Role.STANDBY:
            last_seq = self._drop(symbol, message.seq, rows)
            dropped = Dropped(symbol, last_seq, len(rows))
            if symbol in self._warned_standby:
                return (dropped,)
            self._warned_standby.add(symbol)
            text = "another connector is active"
            return (_error(ErrorCode.STANDBY, text, now_ms, symbol), dropped)
        if symbol in self._tails and self._is_ahead(symbol, message.seq, now_ms):
            self._drop(symbol, message.seq, rows)
            return (Dropped(symbol, None, len(rows)),)
        return (Store(symbol, message.seq, rows),)

    def _drop(self, symbol: str, seq: int | None, rows: Sequence[Row]) -> int | None:
        """Remember the tail of what was dropped; return its last seq."""
        if seq is None:
            return None
        tail = self._tails.setdefault(symbol, _Tail())
        tail.seq = max(tail.seq, seq + len(rows) - 1)
        tail.time_ms = max(tail.time_ms, max(row.time_ms for row in rows))
        return seq + len(rows) - 1

    def _is_ahead(self, symbol: str, seq: int | None, now_ms: int) -> bool:
        """Return whether ticks before these were dropped and are still to be sent again."""
        tail = self._tails[symbol]
        if seq is None:
            return False
        if seq > tail.seq and now_ms < tail.rewound_by_ms:
            return True
        del self._tails[symbol]
        return False

    def _moved(self, symbol: str, assignment: Assignment) -> Actions:
        if self.closed or self.claims is None:
            return ()
        self.roles[symbol] = assignment.role
        self._warned_standby.discard(symbol)
        return (self._auth_ok({symbol: assignment}),)

    def _heartbeat(self, message: wire.Heartbeat, now_ms: int) -> Actions:
        actions: list[Action] = [Send(wire.HeartbeatAck(timestamp=wire.iso(now_ms)))]
        actions.append(Alive(self.symbols_as(Role.ACTIVE)))
        for symbol, time_ms in message.watermark.items():
            if symbol not in self.roles:
                actions.append(self._forbidden(symbol, now_ms))
            elif time_ms > now_ms + _MAXIMUM_AHEAD_MS:
                actions.append(
                    _error(ErrorCode.BAD_TICK, "watermark in the future", now_ms, symbol)
                )
            elif self.roles[symbol] is Role.ACTIVE:
                actions.append(Watermark(symbol, time_ms))
        return tuple(actions)

    def _history(self, message: wire.History, now_ms: int) -> Actions:
        if message.symbol not in self.roles:
            return (self._forbidden(message.symbol, now_ms),)
        try:
            timeframe = Timeframe(message.timeframe)
        except ValueError:
            timeframe = None
        if timeframe not in TIMEFRAMES:
            return self._bad_message(f"history of timeframe {message.timeframe!r}", now_ms)
        fault = _history_fault(message.rows, timeframe, now_ms)
        if fault is not None:
            return self._bad_message(fault, now_ms)
        return (StoreHistory(message.symbol, timeframe, message.rows),)

    def _report(self, message: wire.Error) -> Actions:
        try:
            code = ErrorCode(message.code)
        except ValueError:
            return ()
        return (Report(code, message.symbol or "", message.message),) if code in _REPORTS else ()

    def _auth_ok(self, assignments: Mapping[str, Assignment]) -> Send:
        assert self.claims is not None
        return Send(
            wire.AuthOk(
                connector=self.claims.connector,
                role={symbol: assignment.role for symbol, assignment in assignments.items()},
                resume={
                    symbol: wire.Resume(seq=assignment.seq, time=assignment.time_ms)
                    for symbol, assignment in assignments.items()
                },
                heartbeat_interval=self.limits.heartbeat_interval_ms / 1000,
                expires_at=wire.iso(self.claims.expires_at * 1000),
            )
        )

    def _forbidden(self, symbol: str, now_ms: int) -> Send:
        allowed = self.claims is not None and symbol in self.claims.symbols
        why = "not named in auth" if allowed else "not in the token"
        return _error(ErrorCode.FORBIDDEN_SYMBOL, f"{symbol} is {why}", now_ms, symbol)

    def _bad_message(self, reason: str, now_ms: int) -> Actions:
        self._bad_messages += 1
        error = _error(ErrorCode.BAD_MESSAGE, reason, now_ms)
        if self._bad_messages < self.limits.bad_messages:
            return (error,)
        return (error, *self.end(CloseCode.BAD_MESSAGES, "too many bad messages"))

    def _end(self, code: ErrorCode, reason: str, now_ms: int) -> Actions:
        if self.closed:
            return ()
        error = _error(code, reason, now_ms or self.opened_ms)
        return (error, *self.end(CLOSES[code], f"{code.value}: {reason}"))


def _error(code: ErrorCode, message: str, now_ms: int, symbol: str | None = None) -> Send:
    timestamp = wire.iso(now_ms)
    return Send(wire.Error(code=code.value, message=message, timestamp=timestamp, symbol=symbol))


def _history_fault(rows: Sequence[CandleRow], timeframe: Timeframe, now_ms: int) -> str | None:
    """Return what is wrong with candles that should be closed, aligned and in order."""
    previous_ms = None
    for place, row in enumerate(rows):
        numbers = msgspec.structs.astuple(row)[1:]
        if not all(0 < price <= MAXIMUM_PRICE for price in numbers[:4]):
            return f"candle {place} has a price that cannot be"
        if row.high < max(row.open, row.close) or row.low > min(row.open, row.close):
            return f"candle {place} does not hold its open and close"
        if not 0 <= row.volume <= _MAXIMUM_VOLUME:
            return f"candle {place} has no valid volume"
        if row.time_ms < 0 or row.time_ms % timeframe.milliseconds:
            return f"candle {place} does not open on {timeframe.value}"
        if previous_ms is not None and row.time_ms <= previous_ms:
            return f"candle {place} is not later than the one before"
        if row.time_ms + timeframe.milliseconds > now_ms + _MAXIMUM_AHEAD_MS:
            return f"candle {place} is not closed yet"
        previous_ms = row.time_ms
    return None
