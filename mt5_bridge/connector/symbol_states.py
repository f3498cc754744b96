"""How far each symbol of the spool has come, in memory and on the disk."""

from collections.abc import Iterator
from dataclasses import replace

from mt5_bridge.connector.spool_tables import SpoolState, StateTable


class SymbolStates:
    """The states by symbol.

    They are read without a lock, for who only looks must not wait for a disk that is slow to flush.
    What was acknowledged is kept beside them, since it comes far more often than it is written.
    """

    def __init__(self, table: StateTable) -> None:
        self.acknowledged: dict[str, int] = {}
        self._table = table
        self._states: dict[str, SpoolState] = {}
        for symbol, state in table.read_all().items():
            self.set(symbol, state)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._states

    def __getitem__(self, symbol: str) -> SpoolState:
        state = self._states[symbol]
        return replace(state, acknowledged_seq=self.acknowledged[symbol])

    def get(self, symbol: str) -> SpoolState | None:
        return self[symbol] if symbol in self._states else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def set(self, symbol: str, state: SpoolState) -> None:
        """Take over a state that is on the disk."""
        # In this order: who reads without a lock must find the second one.
        self.acknowledged[symbol] = state.acknowledged_seq
        self._states[symbol] = state

    def grow(self, symbol: str, state: SpoolState) -> None:
        """Take over a state that is on the disk; what was acknowledged meanwhile stays."""
        self._states[symbol] = state

    def drop(self, symbol: str, count: int) -> None:
        """Count ticks that found no room; `write_all` writes it down."""
        state = self._states[symbol]
        self._states[symbol] = replace(state, dropped=state.dropped + count)

    def acknowledge(self, symbol: str, seq: int) -> None:
        """Note what the server has, of what was ever given to it; `write_all` writes it down."""
        if symbol in self._states:
            self.acknowledged[symbol] = min(seq, self._states[symbol].last_seq)

    def write(self, symbol: str, state: SpoolState) -> None:
        """Write a state to the disk, in a transaction."""
        self._table.write(symbol, state)

    def write_all(self) -> None:
        """Write down what was acknowledged and dropped, in a transaction."""
        for symbol in self:
            self.write(symbol, self[symbol])
