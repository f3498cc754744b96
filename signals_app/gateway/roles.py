"""A connector's role in each of its symbols, and which of its ticks that lets through. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway.actions import Dropped, StoreTicks
from signals_app.gateway.stream_state import StreamState

# A connector that was promoted resumes within this time, or goes on as if nothing was dropped.
_REWIND_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Assignment:
    """A connector's role for one symbol, and where it resumes.

    `seq` is its last one that was stored; `time_ms` that of the last tick, `None` without any.
    """

    role: Role
    seq: int
    time_ms: int | None

    @classmethod
    def of(cls, role: Role, connector: str, state: StreamState) -> "Assignment":
        """The role of a connector where the symbol's stream is in this state."""
        return cls(role, state.seq(connector), state.time_ms if state.ordinal else None)


@dataclass(slots=True)
class SymbolRoles:
    """The roles of one connection. Standbys' ticks are dropped; the connector is warned once."""

    by_symbol: dict[str, Role] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)
    _dropped: dict[str, "_DroppedTicks"] = field(default_factory=dict)

    def symbols_as(self, role: Role) -> tuple[str, ...]:
        """The symbols in which the connector has this role."""
        return tuple(symbol for symbol, found in self.by_symbol.items() if found is role)

    def assign(self, assignments: Mapping[str, Assignment]) -> None:
        """Begin anew with these roles."""
        self.by_symbol = {symbol: each.role for symbol, each in assignments.items()}
        self._dropped.clear()

    def change(self, symbol: str, role: Role) -> None:
        """Change the role in one symbol."""
        self.by_symbol[symbol] = role
        self._warned.discard(symbol)

    def expect_rewind(self, symbol: str, resume_ms: int, now_ms: int) -> None:
        """Hold ticks back until the connector has gone back to ``resume_ms`` after its promotion.

        Only what it sends again may be stored, unless nothing from that time on was dropped.
        """
        dropped = self._dropped.get(symbol)
        if dropped is not None and dropped.last_ms >= resume_ms:
            dropped.rewind_until_ms = now_ms + _REWIND_MS
        else:
            self._dropped.pop(symbol, None)

    def route(
        self, symbol: str, seq: int | None, rows: Sequence[Row], now_ms: int
    ) -> StoreTicks | Dropped:
        """Say whether ticks are stored or dropped; `seq` is the first one's.

        The symbol has to be one with a role.
        """
        if self.by_symbol[symbol] is Role.STANDBY:
            return Dropped(symbol, self.drop(symbol, seq, rows), len(rows))
        if symbol in self._dropped and self._is_ahead(symbol, seq, now_ms):
            self.drop(symbol, seq, rows)
            return Dropped(symbol, None, len(rows))
        return StoreTicks(symbol, seq, rows)

    def is_to_be_warned(self, symbol: str) -> bool:
        """Whether a standby sent ticks for the first time since it got its role."""
        if self.by_symbol[symbol] is not Role.STANDBY or symbol in self._warned:
            return False
        self._warned.add(symbol)
        return True

    def drop(self, symbol: str, seq: int | None, rows: Sequence[Row]) -> int | None:
        """Note that these ticks are not stored; return the last one's seq."""
        if seq is None:
            return None
        dropped = self._dropped.setdefault(symbol, _DroppedTicks())
        dropped.last_seq = max(dropped.last_seq, seq + len(rows) - 1)
        dropped.last_ms = max(dropped.last_ms, max(row.time_ms for row in rows))
        return seq + len(rows) - 1

    def _is_ahead(self, symbol: str, seq: int | None, now_ms: int) -> bool:
        """Whether ticks before these were dropped and are still to be sent again."""
        dropped = self._dropped[symbol]
        if seq is None:
            return False
        if seq > dropped.last_seq and now_ms < dropped.rewind_until_ms:
            return True
        del self._dropped[symbol]
        return False


@dataclass(slots=True)
class _DroppedTicks:
    """Up to where a symbol's ticks were dropped on standby.

    They may be later than what the active connector sent last. Then the connector sends them again
    after its promotion, and what it sent before it heard of that (until `rewind_until_ms` at most)
    must not be stored ahead of them.
    """

    last_seq: int = 0
    last_ms: int = 0
    rewind_until_ms: int = 0
