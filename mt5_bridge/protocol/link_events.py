"""What follows from a frame of the server: the events that `Link.receive` gives the driver."""

from dataclasses import dataclass
from typing import TypeAlias

from mt5_bridge.protocol.wire import Role


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The server accepted the token; it knows the connector under this name."""

    connector: str


@dataclass(frozen=True, slots=True)
class RoleAssigned:
    """The connector's role for a symbol, at login and whenever it changes."""

    symbol: str
    role: Role


@dataclass(frozen=True, slots=True)
class NumberingNeeded:
    """The ticks have no numbers yet: number them from `after_seq + 1` on, then call `resume`.

    `time_ms` is the time of the symbol's last stored tick, whoever sent it; None without any.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class SpoolBehind:
    """The server remembers higher numbers than the spool, which is an old copy or was lost.

    Renumber what is unacknowledged from `after_seq + 1` on, then call `resume`.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class ReplayNeeded:
    """The server wants ticks from `after_seq + 1` on, and the first of them are no longer held.

    Let the source give them again, as it did before, then call `resume`.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """Ticks after `after_seq` are sent from now on; the server has those before.

    `time_ms` is the time of the symbol's last stored tick, None where there is none.
    """

    symbol: str
    after_seq: int
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server stored or refused everything up to `seq`; it is not needed again."""

    symbol: str
    seq: int


@dataclass(frozen=True, slots=True)
class HistoryStored:
    """The server kept `stored` candles of a history."""

    symbol: str
    timeframe: str
    stored: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server reports an error; `is_final` where it is about to close the connection."""

    code: str
    message: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class ClockErrorChanged:
    """This machine's clock is `ahead_ms` ahead of the server's (negative: behind).

    Comes once for an error, and again when it has changed by much, be it to nothing.
    """

    ahead_ms: int


Placement: TypeAlias = NumberingNeeded | SpoolBehind | ReplayNeeded | Resumed
Event: TypeAlias = (
    LoggedIn
    | RoleAssigned
    | Placement
    | Acknowledged
    | HistoryStored
    | ServerError
    | ClockErrorChanged
)
