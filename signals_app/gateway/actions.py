"""What a connection decides to do: plain values, carried out in their order by its session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CandleRow, ErrorCode, Row
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe


@dataclass(frozen=True, slots=True)
class Send:
    message: wire.ServerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection after what was sent; nothing it says counts any more."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """The token is good: join these symbols, then call `admitted` or `refused`.

    What the connection sent before is stored first, so that `resume` is exact.
    """

    claims: Claims
    symbols: tuple[str, ...]
    spool: str = ""


@dataclass(frozen=True, slots=True)
class StoreTicks:
    """Store these ticks; `seq` is the first one's, `None` where the connector counts none."""

    symbol: str
    seq: int | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class StoreWatermark:
    """No tick of the symbol at or before this time is still to come, behind those to store."""

    symbol: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """Store these closed candles, and answer how many were kept."""

    symbol: str
    timeframe: Timeframe
    rows: Sequence[CandleRow]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Ticks of a standby were read and dropped; acknowledge them up to `seq`, if it is not `None`.

    Nothing is lost by that: the connector keeps them for an hour, and sends them when promoted.
    """

    symbol: str
    seq: int | None
    count: int


@dataclass(frozen=True, slots=True)
class RenewLeases:
    """The connector is alive: renew its leases of these symbols."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """The connector reports something that people should know; `symbol` may be empty."""

    code: ErrorCode
    symbol: str
    message: str


Action: TypeAlias = (
    Send
    | Close
    | Admit
    | StoreTicks
    | StoreWatermark
    | StoreHistory
    | Dropped
    | RenewLeases
    | RecordEvent
)
Actions: TypeAlias = tuple[Action, ...]
