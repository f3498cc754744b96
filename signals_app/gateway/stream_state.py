"""The state of a symbol's stream: how far it goes, who wrote last, who holds the lease. Pure.

Redis keeps it in a hash beside the stream. A checkpoint is what the database keeps of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.protocol.quote_filter import Jumps
from signals_app.gateway.lease import Lease
from signals_app.gateway.overlap import Tail, read_tail, write_tail

SEQ_PREFIX: Final = "seq:"
"""A connector's last `seq` stands in the field of this prefix and its name."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """From where on a symbol's ticks are needed again should Redis hold none.

    `ordinal`, `time_ms` and `bid` are those of the last tick that is not needed any more, `writer`
    is the connector that sent it, and `watermark_ms` the last watermark by then; `seqs` say where
    each connector stood. `writer` and `tail` are `None` where they are not known.
    """

    ordinal: int
    time_ms: int
    bid: float
    seqs: Mapping[str, int]
    writer: str | None = None
    watermark_ms: int = 0
    tail: Tail | None = None


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far a symbol's stream goes. `writer` sent its last tick.

    `ordinal` numbers the accepted ticks from 1; times are Unix milliseconds, 0 before the first
    tick. `seqs` hold the last `seq` of each connector that was stored or refused. `tail` are the
    ticks of `time_ms`, `None` where they are not known. `jumps` were refused since the last tick.
    """

    ordinal: int = 0
    time_ms: int = 0
    bid: float = 0.0
    watermark_ms: int = 0
    writer: str | None = None
    seqs: Mapping[str, int] = field(default_factory=dict)
    lease: Lease | None = None
    tail: Tail | None = ()
    jumps: Jumps = field(default_factory=Jumps)

    @classmethod
    def at(cls, checkpoint: Checkpoint) -> "StreamState":
        """The state from which a checkpoint continues; nobody holds the lease."""
        only_one = next(iter(checkpoint.seqs)) if len(checkpoint.seqs) == 1 else None
        return cls(
            ordinal=checkpoint.ordinal,
            time_ms=checkpoint.time_ms,
            bid=checkpoint.bid,
            watermark_ms=checkpoint.watermark_ms,
            writer=checkpoint.writer or only_one,
            seqs=dict(checkpoint.seqs),
            tail=checkpoint.tail,
        )

    def seq(self, connector: str) -> int:
        """The connector's last `seq` that was stored or refused, 0 where there is none."""
        return self.seqs.get(connector, 0)


def state_fields(state: StreamState) -> dict[str, str]:
    """The fields of the hash that hold a state, without those of the lease."""
    return {
        "ordinal": str(state.ordinal),
        "time_ms": str(state.time_ms),
        "bid": repr(state.bid),
        "watermark": str(state.watermark_ms),
        "writer": state.writer or "",
        "tail": write_tail(state.tail),
        "jumps": write_jumps(state.jumps),
        **{SEQ_PREFIX + connector: str(seq) for connector, seq in state.seqs.items()},
    }


def lease_fields(lease: Lease | None) -> dict[str, str]:
    """The fields of the hash that hold a lease; all empty where there is none."""
    if lease is None:
        return {"active": "", "active_connection": "", "active_seen": "", "active_gone": ""}
    return {
        "active": lease.connector,
        "active_connection": lease.connection,
        "active_seen": str(lease.seen_ms),
        "active_gone": "" if lease.gone_ms is None else str(lease.gone_ms),
    }


def parse_state(reply: Sequence[bytes]) -> StreamState | None:
    """Read a hash, as its fields and values in turn; `None` where there is no state."""
    found = {
        name.decode(): value.decode() for name, value in zip(reply[::2], reply[1::2], strict=True)
    }
    if "ordinal" not in found:
        return None
    return StreamState(
        ordinal=int(found["ordinal"]),
        time_ms=int(found["time_ms"]),
        bid=float(found["bid"]),
        watermark_ms=int(found["watermark"]),
        writer=found["writer"] or None,
        seqs={
            name.removeprefix(SEQ_PREFIX): int(value)
            for name, value in found.items()
            if name.startswith(SEQ_PREFIX)
        },
        lease=_parse_lease(found),
        # A state of an earlier version has none.
        tail=read_tail(found.get("tail", "")),
        jumps=_parse_jumps(found.get("jumps", "")),
    )


def write_jumps(jumps: Jumps) -> str:
    """The jumps as text for Redis; empty where there are none."""
    return f"{jumps.count} {jumps.bid!r} {jumps.since_ms}" if jumps.count else ""


def _parse_jumps(text: str) -> Jumps:
    if not text:
        return Jumps()
    count, bid, since_ms = text.split()
    return Jumps(int(count), float(bid), int(since_ms))


def _parse_lease(found: Mapping[str, str]) -> Lease | None:
    if not found.get("active"):
        return None
    gone = found.get("active_gone")
    return Lease(
        connector=found["active"],
        connection=found.get("active_connection", ""),
        seen_ms=int(found.get("active_seen") or 0),
        gone_ms=int(gone) if gone else None,
    )
