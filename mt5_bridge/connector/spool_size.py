"""How many bytes the spool holds, counted on from one change to the next."""

from collections.abc import Mapping

from mt5_bridge.connector.spool_tables import BatchTable


class SpoolSize:
    """Bytes of all ticks held (`total`), and of those that the server has not acknowledged.

    The second is as of the last `count`: to sum up a spool of half a gigabyte after each
    acknowledgement would take too long.
    """

    def __init__(self, batches: BatchTable, acknowledged: Mapping[str, int]) -> None:
        self._batches = batches
        self.total = batches.total_bytes()
        # By symbol: up to which number the server had acknowledged, and the bytes behind it.
        self._behind: dict[str, tuple[int, int]] = {}
        for symbol, seq in acknowledged.items():
            self.count(symbol, seq)

    @property
    def unacknowledged(self) -> int:
        return sum(size for _, size in self._behind.values())

    def added(self, symbol: str, size: int) -> None:
        self.total += size
        counted_seq, behind = self._behind[symbol]
        self._behind[symbol] = counted_seq, behind + size

    def removed(self, size: int) -> None:
        """Note that acknowledged ticks were deleted."""
        self.total -= size

    def count(self, symbol: str, seq: int) -> None:
        """Count the bytes behind ``seq``, from the last count on where that is possible."""
        counted_seq, size = self._behind.get(symbol, (seq + 1, 0))
        if counted_seq <= seq:
            size -= self._batches.bytes_between(symbol, counted_seq, seq)
        else:
            # A server that forgot has taken its acknowledgements back.
            size = self._batches.bytes_between(symbol, seq, 2**62)
        self._behind[symbol] = seq, size

    def count_anew(self, symbol: str, seq: int) -> None:
        """Count from scratch after a symbol's ticks were renumbered or deleted."""
        self.total = self._batches.total_bytes()
        self._behind.pop(symbol, None)
        self.count(symbol, seq)
