"""The lease of a symbol: of the connectors that send its ticks, the one whose ticks are stored.

Pure. The lease is a part of the symbol's state in Redis and is timed by Redis's clock, so that
several gateways agree on it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseTimeouts:
    """How long an active connector may be away before a standby is promoted, in milliseconds."""

    failover_after_ms: int = 45_000
    disconnect_grace_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Lease:
    """The active connector of one symbol, and its last sign of life.

    `connection` numbers its connections: the late end of an old one must not end the lease
    that a new one has taken up. `gone_ms` is when that connection ended, `None` while it is open.
    """

    connector: str
    connection: str
    seen_ms: int
    gone_ms: int | None = None


def acquire(
    current: Lease | None, connector: str, connection: str, now_ms: int, timeouts: LeaseTimeouts
) -> Lease | None:
    """Give the lease to the connector if nobody else holds it or the holder is away for too long.

    `None` means that the current lease still stands.
    """
    if current is None or current.connector == connector or _is_over(current, now_ms, timeouts):
        return Lease(connector, connection, now_ms)
    return None


def _is_over(lease: Lease, now_ms: int, timeouts: LeaseTimeouts) -> bool:
    if now_ms - lease.seen_ms >= timeouts.failover_after_ms:
        return True
    return lease.gone_ms is not None and now_ms - lease.gone_ms >= timeouts.disconnect_grace_ms
