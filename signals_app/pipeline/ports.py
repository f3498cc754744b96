"""The door from the pipeline to the trades: what it asks of the book that keeps them.

`trades_app` is a layer above and may not be imported here, so its `AppConfig.ready()` registers
the book.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick, Ticks


class TradeBook(Protocol):
    """The trades that follow from signals, as ticks, decisions and sweeps need them."""

    def move(self, symbol: str, ticks: Ticks) -> None:
        """Move the symbol's open trades by these ticks, in the transaction that uses them."""

    def exposure_before(
        self, instrument: Instrument, parameters: Parameters, entry: Tick
    ) -> Exposure:
        """How the instrument's account stood just before the tick ``entry``."""

    def needed_ordinals(self, symbol: str) -> Iterable[int]:
        """Yield the ordinals of ticks, used already, that the stream must still keep."""

    def on_signal(self, signal_id: str) -> None:
        """Start opening the trade of a signal that is stored; may come twice."""

    def on_decisions(self, symbol: str) -> None:
        """Follow up closes of the symbol that were decided; may come twice."""


class NoTradeBook(Exception):  # noqa: N818 - it says what is missing
    """No app has registered a trade book."""


_registered: list[TradeBook] = []


def register(book: TradeBook) -> None:
    """Make this the process's trade book; called once, by `AppConfig.ready()`."""
    _registered[:] = [book]


def trade_book() -> TradeBook:
    """The registered book. Raises `NoTradeBook`."""
    if not _registered:
        raise NoTradeBook("No app registered a trade book by signals_app.pipeline.ports.register.")
    return _registered[0]


@contextmanager
def replaced(book: TradeBook) -> Iterator[None]:
    """Put another book in the registered one's place for a while, as a test does with a fake."""
    before = list(_registered)
    register(book)
    try:
        yield
    finally:
        _registered[:] = before
