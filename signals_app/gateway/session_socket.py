"""What a session asks of the connection that it is carried by."""

from typing import Protocol

from signals_app.gateway.message_sender import MessageSocket


class Abortable(Protocol):
    """What can be ended at once."""

    def abort(self) -> None: ...


class SessionSocket(MessageSocket, Protocol):
    """A connection whose peer may become a connector."""

    @property
    def transport(self) -> Abortable: ...

    @property
    def address(self) -> str | None:
        """The peer's address, as places count addresses."""
        ...

    def verified(self) -> None:
        """The peer's token is good: it is being looked up."""
        ...

    def let_in(self) -> None:
        """The peer's connector is let in."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame; raises `ConnectionClosed` behind the last."""
        ...
