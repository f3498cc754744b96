"""The web server of one process: who may hold how many connections, and for how long."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from goldtrader.web.channel import BoundedChannel, Deadlines

#: Connections beside those of callers that waitress counts: listeners and its own pipe.
_OTHERS = 50
_HEADER_BYTES = 32_768
_RECEIVED_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What callers may take: connections in all and by address (`None`: as many), bytes, time."""

    connections: int
    connections_by_address: int | None
    body_bytes: int
    deadlines: Deadlines


class Server(TcpWSGIServer):  # type: ignore[misc]
    """A server whose threads get requests that have arrived whole.

    Headers and bodies are gathered by one loop, so that a slow caller costs a connection, never a
    thread. Where connections run out, the one that waits longest gives way to the newest.
    """

    channel_class = BoundedChannel
    limits: ConnectionLimits

    def handle_accept(self) -> None:
        """Take a connection, and make room for it."""
        before = set(self.active_channels.values())
        super().handle_accept()
        for newest in set(self.active_channels.values()) - before:
            surplus = surplus_of(self.active_channels.values(), newest, self.limits)
            if surplus is not None:
                surplus.cut()

    def maintenance(self, now: float) -> None:
        """Close the connections whose callers have taken too long."""
        for channel in tuple(self.active_channels.values()):
            if channel.is_overdue(now, self.limits.deadlines):
                channel.end_overdue()


def surplus_of(
    channels: Collection[BoundedChannel], newest: BoundedChannel, limits: ConnectionLimits
) -> BoundedChannel | None:
    """The connection that has to go now that the newest is there; `None` within the limits.

    Of those of the address that has too many, else of the busiest address, it is the one that waits
    longest for its caller; where all are busy, the newest.
    """
    most = limits.connections_by_address
    crowd = [each for each in channels if each.network == newest.network]
    if most is None or len(crowd) <= most:
        if len(channels) <= limits.connections:
            return None
        (busiest, _), *_ = Counter(each.network for each in channels).most_common(1)
        crowd = [each for each in channels if each.network == busiest]
    waiting = [each for each in crowd if not each.is_busy and each is not newest]
    return min(waiting, key=lambda each: each.waits_since, default=newest)


def adjustments(*, threads: int, limits: ConnectionLimits) -> Adjustments:
    """Waitress's own settings; the rest is judged by us."""
    return Adjustments(
        listen="127.0.0.1:0",
        threads=threads,
        ident=None,
        asyncore_use_poll=True,
        connection_limit=limits.connections + _OTHERS,
        # Refused from this size on; ours is the largest that passes.
        max_request_body_size=limits.body_bytes + 1,
        max_request_header_size=_HEADER_BYTES,
        recv_bytes=_RECEIVED_AT_ONCE,
        # Once a second, so that no deadline is missed by more.
        cleanup_interval=1,
        # X-Forwarded-For is judged where the allow-list is, by TRUSTED_PROXIES.
        clear_untrusted_proxy_headers=False,
    )


def make(
    application: Any,
    listener: Any,
    sockets: Any,
    dispatcher: Any,
    adj: Adjustments,
    limits: ConnectionLimits,
) -> Server:
    """A server on a socket that listens already, in the map of sockets that its loop polls."""
    server = Server(
        application,
        map=sockets,
        _sock=listener,
        dispatcher=dispatcher,
        adj=adj,
        sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        bind_socket=False,
    )
    server.limits = limits
    return server
