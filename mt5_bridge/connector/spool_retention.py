"""What the spool deletes: acknowledged ticks after an hour, or the oldest of them for room."""

from collections.abc import Mapping

from mt5_bridge.connector.spool_file import SpoolFile
from mt5_bridge.connector.spool_tables import AcknowledgementTable, BatchTable


class Retention:
    """Deletes acknowledged ticks; each call belongs into a transaction and returns freed bytes.

    Of every symbol the batch with the last acknowledged tick stays: its time says where to resume.
    """

    def __init__(self, file: SpoolFile, batches: BatchTable, keep_ms: int) -> None:
        self._batches = batches
        self._acknowledgements = AcknowledgementTable(file)
        self._keep_ms = keep_ms

    def expire(self, symbol: str, acknowledged_seq: int, now_ms: int) -> int:
        """Note what is acknowledged by now; delete what was long ago."""
        self._acknowledgements.note(symbol, acknowledged_seq, now_ms)
        expired_seq = self._acknowledgements.last_before(symbol, now_ms, self._keep_ms)
        if expired_seq is None:
            return 0
        freed = self._batches.bytes_between(symbol, -1, expired_seq - 1)
        self._batches.delete_through(symbol, expired_seq - 1)
        self._acknowledgements.delete_before(symbol, expired_seq)
        return freed

    def make_room(self, acknowledged: Mapping[str, int], needed: int) -> int:
        """Delete the oldest acknowledged batches until ``needed`` bytes are free, if they do."""
        freed, delete_through = 0, {}
        for _, symbol, last_seq, size in self._batches.oldest_before(acknowledged):
            if freed >= needed:
                break
            delete_through[symbol] = last_seq
            freed += size
        for symbol, last_seq in delete_through.items():
            self._batches.delete_through(symbol, last_seq)
        return freed

    def forget(self, symbol: str) -> None:
        """Forget when ticks were acknowledged: their numbers change."""
        self._acknowledgements.delete_all(symbol)
