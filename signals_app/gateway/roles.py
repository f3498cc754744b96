"""Active and standby: of several connectors with one symbol, whose ticks count.

Pure. Where the holder of the active role is kept, and whose clock tells the time, is `stream`'s
matter: several gateways share one answer.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an active connector may be away before a standby is promoted, in milliseconds."""

    failover_after_ms: int = 45_000
    disconnect_grace_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Holder:
    """The active connector of one symbol.

    `connection` tells its connections apart: a late goodbye of an old one must not end the new
    one's role. `gone_ms` is when that connection ended, `None` while it stands.
    """

    connector: str
    connection: str
    seen_ms: int
    gone_ms: int | None = None


def claim(
    holder: Holder | None, connector: str, connection: str, now_ms: int, patience: Patience
) -> Holder | None:
    """Return the new holder where ``connector`` may be active from now on, else `None`."""
    if holder is None or holder.connector == connector or _is_lost(holder, now_ms, patience):
        return Holder(connector, connection, now_ms)
    return None


def heard(holder: Holder | None, connector: str, connection: str, now_ms: int) -> Holder | None:
    """Return the holder after a sign of life, `None` where another connector is active."""
    if holder is None or holder.connector != connector:
        return None
    return Holder(connector, connection, max(now_ms, holder.seen_ms))


def left(holder: Holder | None, connection: str, now_ms: int) -> Holder | None:
    """Return the holder after ``connection`` ended, `None` where that changes nothing."""
    if holder is None or holder.connection != connection or holder.gone_ms is not None:
        return None
    return replace(holder, gone_ms=now_ms)


def _is_lost(holder: Holder, now_ms: int, patience: Patience) -> bool:
    if now_ms - holder.seen_ms >= patience.failover_after_ms:
        return True
    return holder.gone_ms is not None and now_ms - holder.gone_ms >= patience.disconnect_grace_ms
