"""The messages between connector and server, and how they are read and written.

Both ends import this module, so that a message has one definition. A frame is UTF-8 JSON text with
one object; its `type` picks the structure. Unknown fields are ignored.

A connector that was promoted, or put back to standby, learns of it by another `auth_ok`
with the new role and the place to resume from.
"""

import json
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final, TypeAlias

import msgspec

PROTOCOL: Final = 1

MAX_MESSAGE_BYTES: Final = 1 << 20
MAX_BATCH_ROWS: Final = 1000
"""Rows that a connector puts into one frame; a server takes what fits into a message."""
MAX_BAD_MESSAGES: Final = 100
"""The bad message with this number closes the connection."""

AUTH_TIMEOUT: Final = 10.0
"""Seconds from `connected` to a valid `auth`."""
HEARTBEAT_INTERVAL: Final = 30
"""Seconds between two heartbeats of a connector."""

# Longer messages are read by the strict decoder alone, which is twenty times as fast.
_MAX_LENIENT_BYTES: Final = 128 << 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadMessage(ValueError):  # noqa: N818 - the name of the wire
    """A frame that is no message. `reason` says in a few words what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ErrorCode(StrEnum):
    """Every `code` that an `error` message may carry."""

    MT5_DISCONNECTED = "MT5_DISCONNECTED"
    MT5_RECONNECTED = "MT5_RECONNECTED"
    SYMBOL_UNAVAILABLE = "SYMBOL_UNAVAILABLE"
    AUTH_FAILED = "AUTH_FAILED"
    AUTH_TIMEOUT = "AUTH_TIMEOUT"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a code, not a secret
    FORBIDDEN_SYMBOL = "FORBIDDEN_SYMBOL"
    BAD_MESSAGE = "BAD_MESSAGE"
    BAD_TICK = "BAD_TICK"
    STANDBY = "STANDBY"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
    NAME_IN_USE = "NAME_IN_USE"


class CloseCode(IntEnum):
    """WebSocket close codes of the server."""

    BAD_MESSAGES = 4400
    UNAUTHENTICATED = 4401
    NAME_IN_USE = 4409
    LIMITED = 4429


CLOSES: Final = {
    ErrorCode.AUTH_FAILED: CloseCode.UNAUTHENTICATED,
    ErrorCode.AUTH_TIMEOUT: CloseCode.UNAUTHENTICATED,
    ErrorCode.TOKEN_EXPIRED: CloseCode.UNAUTHENTICATED,
    ErrorCode.RATE_LIMITED: CloseCode.LIMITED,
    ErrorCode.TOO_MANY_CONNECTIONS: CloseCode.LIMITED,
    ErrorCode.NAME_IN_USE: CloseCode.NAME_IN_USE,
}
"""The errors that end a connection, and the close code that follows each."""


class Role(StrEnum):
    """What a connector is for one symbol."""

    ACTIVE = "active"
    STANDBY = "standby"


def iso(time_ms: int) -> str:
    """Unix milliseconds as the wire writes times: ISO 8601 UTC with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    """An ISO 8601 time with its zone as Unix milliseconds; `ValueError` where it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text!r} does not say its zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


# Integers beyond this are not exact in JSON; a time or a number out there is no number at all.
_Integer = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_TickSeq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Symbol = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Text = Annotated[str, msgspec.Meta(max_length=2000)]
_Identity = Annotated[str, msgspec.Meta(max_length=64)]
_Token = Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


class Connected(msgspec.Struct, frozen=True, tag_field="type", tag="connected"):
    """The server's greeting, as soon as the connection is accepted."""

    server_time: str
    protocol: int = PROTOCOL


class Auth(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="auth"):
    """The connector's token, the symbols it will send, and the identity of its numbers.

    `spool` is random and made with whatever gives the ticks their numbers: two connectors with
    different ones are not the same, whatever they are called. Empty: not said.
    """

    token: _Token
    symbols: Annotated[list[_Symbol], msgspec.Meta(min_length=1, max_length=1000)]
    spool: _Identity | None = None

    def __repr__(self) -> str:
        # Without the token, which is a secret.
        return f"Auth(symbols={self.symbols!r}, spool={self.spool!r})"


class Resume(msgspec.Struct, frozen=True):
    """Where the server stands with one symbol.

    `seq` is the last one it stored of this connector, 0 where it knows none. `time` is the time of
    the symbol's last stored tick in Unix milliseconds, whoever sent it; None where there is none.
    """

    seq: _Seq = 0
    time: _Integer | None = None


class AuthOk(msgspec.Struct, frozen=True, tag_field="type", tag="auth_ok"):
    """The connector is known: its name, its role and where to resume, by symbol."""

    connector: str
    role: dict[str, Role]
    resume: dict[str, Resume]
    heartbeat_interval: float = HEARTBEAT_INTERVAL
    expires_at: str | None = None


class Heartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """A sign of life. `watermark`: no tick of that symbol at or before this time is to come."""

    timestamp: str
    watermark: Annotated[dict[_Symbol, _Integer], msgspec.Meta(max_length=1000)] = {}

    def __post_init__(self) -> None:
        milliseconds(self.timestamp)


class HeartbeatAck(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat_ack"):
    """The server's answer to a heartbeat."""

    timestamp: str


class TickMessage(msgspec.Struct, frozen=True, tag_field="type", tag="tick"):
    """One tick in a frame of its own; `last` and `volume` are None where the market has none."""

    symbol: _Symbol
    timestamp: str
    bid: float
    ask: float
    last: float | None = None
    volume: float | None = None
    seq: _TickSeq | None = None

    def __post_init__(self) -> None:
        milliseconds(self.timestamp)

    @property
    def time_ms(self) -> int:
        return milliseconds(self.timestamp)


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One tick of a batch: `[time_ms, bid, ask, last, volume]`; the last two may be missing."""

    time_ms: _Integer
    bid: float
    ask: float
    last: float | None = None
    volume: float | None = None


class TickBatch(msgspec.Struct, frozen=True, tag_field="type", tag="ticks"):
    """Consecutive ticks of one symbol; `seq` is the first row's, the others follow by one."""

    symbol: _Symbol
    rows: list[Row]
    seq: _TickSeq | None = None


class CandleRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One closed candle: `[time_ms, open, high, low, close, volume]`; the time is its opening."""

    time_ms: _Integer
    open: float
    high: float
    low: float
    close: float
    volume: float = 0


class History(msgspec.Struct, frozen=True, tag_field="type", tag="history"):
    """Closed candles, oldest first, that fill the windows before the first tick."""

    symbol: _Symbol
    timeframe: Annotated[str, msgspec.Meta(min_length=1, max_length=8)]
    rows: list[CandleRow]


class HistoryAck(msgspec.Struct, frozen=True, tag_field="type", tag="history_ack"):
    """How many candles of a `History` the server kept."""

    symbol: str
    timeframe: str
    stored: int


class Ack(msgspec.Struct, frozen=True, tag_field="type", tag="ack"):
    """Everything of this symbol up to `seq` is stored or was refused for good."""

    symbol: str
    seq: _Seq


class Error(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="error"):
    """Something that went wrong at the sender. `code` is an `ErrorCode`, or one of the future.

    `symbol` is left away where the error is not about one symbol.
    """

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    message: _Text
    timestamp: str
    symbol: _Symbol | None = None


class Unknown(msgspec.Struct, frozen=True):
    """A well-formed object of a type that this end does not know; the connection lives on."""

    type: str


ConnectorMessage: TypeAlias = Auth | Heartbeat | TickMessage | TickBatch | History | Error
ServerMessage: TypeAlias = Connected | AuthOk | HeartbeatAck | Ack | HistoryAck | Error
Message: TypeAlias = ConnectorMessage | ServerMessage


def decode_from_connector(frame: bytes | str) -> ConnectorMessage | Unknown:
    """Read a frame of a connector; raises `BadMessage`."""
    message: ConnectorMessage | Unknown = _decode(frame, _FROM_CONNECTOR, ConnectorMessage)
    return message


def decode_from_server(frame: bytes | str) -> ServerMessage | Unknown:
    """Read a frame of the server; raises `BadMessage`."""
    message: ServerMessage | Unknown = _decode(frame, _FROM_SERVER, ServerMessage)
    return message


def encode(message: Message) -> str:
    return _ENCODER.encode(message).decode()


def encode_ticks(
    symbol: str, seq: int, rows: list[tuple[int, float, float, float | None, float | None]]
) -> str:
    """The frame of a `TickBatch` from plain rows, as quickly as it goes."""
    frame = {"type": "ticks", "symbol": symbol, "seq": seq, "rows": rows}
    return _ENCODER.encode(frame).decode()


_ENCODER = msgspec.json.Encoder()
_FROM_CONNECTOR: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ConnectorMessage)
_FROM_SERVER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ServerMessage)


class _Envelope(msgspec.Struct):
    type: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_KNOWN = frozenset(
    kind.__struct_config__.tag for kind in (*ConnectorMessage.__args__, *ServerMessage.__args__)
)


def _decode(frame: bytes | str, decoder: "msgspec.json.Decoder[Any]", kinds: Any) -> Any:
    if len(frame) > MAX_MESSAGE_BYTES:
        raise BadMessage(f"longer than {MAX_MESSAGE_BYTES} bytes")
    try:
        return decoder.decode(frame)
    except msgspec.ValidationError as error:
        reason = str(error)
        if "out of range" in reason and len(frame) <= _MAX_LENIENT_BYTES:
            return _decode_leniently(frame, kinds, reason)
        return _unknown_or_raise(frame, reason)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason = f"not JSON: {error}"
        if len(frame) <= _MAX_LENIENT_BYTES and ("NaN" in str(frame) or "Infinity" in str(frame)):
            return _decode_leniently(frame, kinds, reason)
        raise BadMessage(_plain(reason)) from None


def _unknown_or_raise(frame: bytes | str, reason: str) -> Unknown:
    """Return `Unknown` where only the type is strange; otherwise raise what was wrong."""
    try:
        kind = _ENVELOPE.decode(frame).type
    except msgspec.ValidationError:
        raise BadMessage(_plain(reason)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadMessage(_plain(f"not JSON: {error}")) from None
    if kind in _KNOWN:
        raise BadMessage(_plain(reason))
    return Unknown(type=kind[:64])


def _decode_leniently(frame: bytes | str, kinds: Any, reason: str) -> Any:
    """Read the NaN, Infinity and 1e999 that many a JSON writer emits though JSON has none.

    One such price among a thousand good ticks is one bad tick, not a bad message: the frame is
    read, and the tick is refused by the rules for ticks.
    """
    try:
        found = json.loads(frame)
        # Half a character, which the strict decoder refuses, could not be named in an answer.
        json.dumps(found, ensure_ascii=False).encode()
        return msgspec.convert(found, kinds)
    except msgspec.ValidationError as error:
        raise BadMessage(_plain(str(error))) from None
    except (ValueError, RecursionError):
        raise BadMessage(_plain(reason)) from None


def _plain(reason: str) -> str:
    return reason.replace("`", "'")[:300]
