"""What a connector without WebSocket posts, and what it is answered. Pure."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec

from mt5_bridge.protocol.wire import CloseCode, Resume, Role
from signals_app.gateway.connection import TRY_AGAIN_LATER

_Symbol = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]

#: The status that stands for a close code of the WebSocket; any other is the end of the session.
_STATUS: Final = {
    CloseCode.BAD_MESSAGES: HTTPStatus.BAD_REQUEST,
    CloseCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    CloseCode.NAME_IN_USE: HTTPStatus.CONFLICT,
    CloseCode.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    TRY_AGAIN_LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}
_ENCODER = msgspec.json.Encoder()


class Post(msgspec.Struct, frozen=True):
    """The body of a request. Without `session` one is begun, for `symbols`."""

    session: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    symbols: Annotated[list[_Symbol], msgspec.Meta(max_length=1000)] = []
    spool: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    messages: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=1000)] = []
    close: bool = False


class PostAnswer(msgspec.Struct, frozen=True):
    """How the connector stands after its messages, and what the server has to say beside that."""

    session: str
    connector: str
    role: Mapping[str, Role]
    resume: Mapping[str, Resume]
    heartbeat_interval: float
    messages: Sequence[msgspec.Raw]


class PostRefused(Exception):  # noqa: N818 - refused, not failed
    """The request is not followed; says with which status and why."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @classmethod
    def closed(cls, code: int, reason: str) -> "PostRefused":
        """What stands for the end of a connection with this code; the reason may name an error."""
        status = _STATUS.get(code, HTTPStatus.GONE)
        name, colon, text = reason.partition(": ")
        if colon and name.isupper():
            return cls(status, name, text)
        names = {HTTPStatus.GONE: "SESSION_ENDED", HTTPStatus.BAD_REQUEST: "BAD_MESSAGE"}
        return cls(status, names.get(status, "TRY_AGAIN_LATER"), reason)

    def body(self) -> bytes:
        """The refusal as JSON."""
        return _ENCODER.encode({"error": {"code": self.code, "message": self.message}})


def read(body: bytes) -> Post:
    """Read the body of a request; raises `PostRefused`."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason = str(error).replace("`", "'")[:300]
        raise PostRefused(HTTPStatus.BAD_REQUEST, "BAD_MESSAGE", reason) from None


def write(answer: Any) -> bytes:
    """An answer as JSON."""
    return _ENCODER.encode(answer)


_DECODER = msgspec.json.Decoder(Post)
