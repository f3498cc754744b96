"""One connector's conversation, without sockets and clocks: frames and times in, actions out.

Its session carries the actions out in their order and reports back what came of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CLOSES, BadMessage, CloseCode, ErrorCode
from signals_app.gateway import replies
from signals_app.gateway.actions import Actions, Admit, Close
from signals_app.gateway.admitted import AdmittedConnector
from signals_app.gateway.append_plan import Batch
from signals_app.gateway.limits import Limits, RateLimit
from signals_app.gateway.roles import Assignment, SymbolRoles
from signals_app.gateway.tokens import Claims, TokenRefused

GOING_AWAY: Final = 1001
TRY_AGAIN_LATER: Final = 1013
"""Close codes of the WebSocket protocol itself: the server ends, or must be resumed from."""


def second_spool(name: str) -> str:
    """What happened, for the connector that is connected and for operators."""
    return f"a second connector that calls itself {name}, with another spool, was refused"


_TICKS: Final = (wire.TickMessage, wire.TickBatch)


@dataclass(slots=True)
class Connection:
    """Who the peer is, whether it is heard, and what follows from what it says.

    All times are Unix milliseconds.
    """

    verify: Callable[[str, float], Claims]
    opened_ms: int
    limits: Limits = field(default_factory=Limits)
    roles: SymbolRoles = field(default_factory=SymbolRoles)
    heard_ms: int = 0
    closed: bool = False
    spool: str = ""
    _connector: AdmittedConnector | None = None
    _bad_messages: int = 0
    _message_rate: RateLimit = field(init=False)
    _frame_rate: RateLimit = field(init=False)

    def __post_init__(self) -> None:
        self.heard_ms = self.opened_ms
        self._message_rate = RateLimit(self.limits.messages_per_second, self.opened_ms)
        self._frame_rate = RateLimit(self.limits.frames_per_second, self.opened_ms)

    @property
    def claims(self) -> Claims | None:
        """What the connector's token says, `None` before it is admitted."""
        return self._connector.claims if self._connector is not None else None

    @property
    def name(self) -> str:
        """The connector's name, empty before it is admitted."""
        return self.claims.connector if self.claims is not None else ""

    def receive(self, frame: str | bytes, now_ms: int) -> Actions:
        """What follows from a frame."""
        if self.closed:
            return ()
        self.heard_ms = now_ms
        if isinstance(frame, bytes):
            return self._bad_message("binary frame", now_ms)
        try:
            message = wire.decode_from_connector(frame)
            if self._connector is not None and isinstance(message, _TICKS):
                if self._frame_rate.is_exceeded(now_ms):
                    return self._end(ErrorCode.RATE_LIMITED, "too many frames", now_ms)
                return self._connector.ticks(message, now_ms)
            if self._message_rate.is_exceeded(now_ms):
                return self._end(ErrorCode.RATE_LIMITED, "too many messages", now_ms)
            return self._follow(message, now_ms)
        except BadMessage as error:
            return self._bad_message(error.reason, now_ms)

    def oversized(self, now_ms: int) -> Actions:
        """What follows from a message that was too long to be read."""
        return () if self.closed else self._bad_message("message too long", now_ms)

    def overdue(self, now_ms: int) -> Actions:
        """What follows from the time alone; to be asked about once a second."""
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

    # What came of actions, and what the server decides

    def greet(self) -> Actions:
        """The first message of a connection that is served."""
        return (replies.connected(self.opened_ms),)

    def turn_away(self) -> Actions:
        """Greet and close a connection that is one too many."""
        return (*self.greet(), *self.turned_away(self.opened_ms))

    def turned_away(self, now_ms: int) -> Actions:
        """Close a connection whose connector would be one too many."""
        return self._end(ErrorCode.TOO_MANY_CONNECTIONS, "no place is free", now_ms)

    def admitted(
        self, claims: Claims, assignments: Mapping[str, Assignment], now_ms: int, spool: str = ""
    ) -> Actions:
        """The connector is let in, or its token renewed, with these roles."""
        if self.closed:
            return ()
        self._connector = AdmittedConnector(claims, self.roles)
        self.spool = spool
        self.heard_ms = now_ms
        self.roles.assign(assignments)
        return (replies.auth_ok(claims, assignments, self.limits.heartbeat_interval_ms),)

    def refused(self, reason: str, now_ms: int) -> Actions:
        """The token is no longer good, or never was."""
        return self._end(ErrorCode.AUTH_FAILED, reason, now_ms)

    def name_in_use(self, name: str, now_ms: int) -> Actions:
        """A connector of the same name is connected, with another spool: this one must go."""
        text = (
            f"{name} is connected with another spool; give this connector a name of its own or "
            "stop that one"
        )
        return self._end(ErrorCode.NAME_IN_USE, text, now_ms)

    def name_was_wanted(self, now_ms: int) -> Actions:
        """Another connector of this name was refused: say so, and go on."""
        if self.closed:
            return ()
        text = f"{second_spool(self.name)}; give it a name of its own"
        return (replies.error(ErrorCode.NAME_IN_USE, text, now_ms),)

    def promoted(self, symbol: str, assignment: Assignment, now_ms: int) -> Actions:
        """The connector is active from now on, and resumes from its assignment's time."""
        self.roles.expect_rewind(symbol, assignment.time_ms or 0, now_ms)
        return self._reassign(symbol, assignment)

    def demoted(self, symbol: str, assignment: Assignment, dropped: Sequence[Batch]) -> Actions:
        """The connector is standby from now on; these batches of its ticks were not stored."""
        for batch in dropped:
            self.roles.drop(symbol, batch.seq, batch.rows)
        return self._reassign(symbol, assignment)

    def end(self, code: int, reason: str) -> Actions:
        """End the conversation for a reason of the server's own."""
        if self.closed:
            return ()
        self.closed = True
        return (Close(code, reason),)

    # Messages

    def _follow(self, message: wire.ConnectorMessage | wire.Unknown, now_ms: int) -> Actions:
        """What follows from a message that is no tick of an admitted connector."""
        match message:
            case wire.Auth():
                return self._auth(message, now_ms)
            case wire.Unknown():
                # A later version of the protocol may send it in good faith: it is not counted.
                text = f"unknown type {message.type!r}"
                return (replies.error(ErrorCode.BAD_MESSAGE, text, now_ms),)
            case _ if self._connector is None:
                return self.refused("auth comes first", now_ms)
            case wire.Heartbeat():
                return self._connector.heartbeat(message, now_ms)
            case wire.History():
                return self._connector.history(message, now_ms)
            case wire.Error():
                return self._connector.error(message, now_ms)
            case wire.TickMessage() | wire.TickBatch():
                raise AssertionError("ticks of admitted connectors are taken in `receive`")
            case _:
                assert_never(message)

    def _auth(self, message: wire.Auth, now_ms: int) -> Actions:
        try:
            claims = self.verify(message.token, now_ms / 1000)
        except TokenRefused as refused:
            return self.refused(str(refused), now_ms)
        if self.claims is not None and claims.connector != self.claims.connector:
            return self.refused("the token is of another connector", now_ms)
        asked = tuple(dict.fromkeys(message.symbols))
        allowed = tuple(symbol for symbol in asked if symbol in claims.symbols)
        errors = tuple(
            replies.forbidden(symbol, self.claims, now_ms)
            for symbol in asked
            if symbol not in claims.symbols
        )
        if not allowed:
            return errors
        return (*errors, Admit(claims, allowed, message.spool or ""))

    def _reassign(self, symbol: str, assignment: Assignment) -> Actions:
        if self.closed or self.claims is None:
            return ()
        self.roles.change(symbol, assignment.role)
        interval_ms = self.limits.heartbeat_interval_ms
        return (replies.auth_ok(self.claims, {symbol: assignment}, interval_ms),)

    def _bad_message(self, reason: str, now_ms: int) -> Actions:
        self._bad_messages += 1
        error = replies.error(ErrorCode.BAD_MESSAGE, reason, now_ms)
        if self._bad_messages < self.limits.bad_messages:
            return (error,)
        return (error, *self.end(CloseCode.BAD_MESSAGES, "too many bad messages"))

    def _end(self, code: ErrorCode, reason: str, now_ms: int) -> Actions:
        if self.closed:
            return ()
        error = replies.error(code, reason, now_ms)
        return (error, *self.end(CLOSES[code], f"{code.value}: {reason}"))
