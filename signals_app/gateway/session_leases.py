"""The leases that one session has joined, and what it knows to be stored of its ticks."""

from collections.abc import Iterable

from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.event_writer import EventWriter
from signals_app.gateway.roles import Assignment


class SessionLeases:
    """What was joined, by symbol. Methods that ask Redis raise `StreamUnavailable`."""

    def __init__(self, append_log: AppendLog, events: EventWriter, session_id: str) -> None:
        self._log = append_log
        self._events = events
        self._session_id = session_id
        self._known_seqs: dict[str, int] = {}
        self._without_ticks: set[str] = set()

    async def join(self, symbol: str, connector: str) -> Assignment:
        """Become active where that is possible, else standby; record a promotion.

        Raises `DatabaseUnavailable` where only the database knows from where to resume.
        """
        joined = await self._log.join(symbol, connector, self._session_id)
        if joined.taken_from is not None:
            text = f"active in place of {joined.taken_from}"
            self._events.record(connector, ConnectorEventCode.PROMOTED, symbol, text)
        assignment = Assignment.of(joined.role, connector, joined.state)
        self._known_seqs[symbol] = assignment.seq
        if assignment.time_ms is None:
            self._without_ticks.add(symbol)
        else:
            self._without_ticks.discard(symbol)
        return assignment

    async def leave(self, symbols: Iterable[str]) -> None:
        """Let the leases of these symbols run out, if this session holds them."""
        await self._log.disconnect(symbols, self._session_id)

    async def leave_all(self) -> None:
        """Let all leases run out."""
        await self.leave(self._known_seqs)

    async def is_lost(self, symbol: str, connector: str) -> bool:
        """Whether Redis lost the lease of an active connector, or ticks that it had stored."""
        return await self._log.has_lost_state(symbol, connector, self.known_seq(symbol))

    def known_seq(self, symbol: str) -> int:
        """The last seq that is known to be stored or refused."""
        return self._known_seqs.get(symbol, 0)

    def stored(self, symbol: str, seq: int) -> None:
        """Note that ticks up to this seq are stored or refused."""
        self._known_seqs[symbol] = seq
        self._without_ticks.discard(symbol)

    def is_without_ticks(self, symbol: str) -> bool:
        """Whether the symbol's stream has never had a tick."""
        return symbol in self._without_ticks
