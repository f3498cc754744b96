"""Active and standby: of several connectors with one symbol, whose ticks count.

Pure. The holder is kept in Redis, by whose clock signs of life and goodbyes are noted (`stream`),
so that several gateways agree.
"""

from dataclasses import dataclass


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


def _is_lost(holder: Holder, now_ms: int, patience: Patience) -> bool:
    if now_ms - holder.seen_ms >= patience.failover_after_ms:
        return True
    return holder.gone_ms is not None and now_ms - holder.gone_ms >= patience.disconnect_grace_ms
