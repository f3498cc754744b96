"""What every source of ticks offers, be it a terminal, a file or a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import ErrorCode, History


class SourceError(Exception):
    """The source cannot give ticks at all: one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the server should hear of, such as a lost terminal."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Poll:
    """What a source has for now.

    `quotes` follow the earlier ones without a hole, and `bookmark` is the source's own note of
    where it continues behind them. `watermark_ms`: no tick at or before it is still to come; None
    where that is not known. Ask again after `wait` seconds, never again once it `is_done`.
    `refused` counts quotes that broke a rule of the filter and are left out. `has_history` asks to
    fetch `QuoteSource.history` now, and to send it before the ticks of later polls.
    """

    quotes: Quotes
    bookmark: str
    watermark_ms: int | None = None
    wait: float = 0.0
    is_done: bool = False
    refused: int = 0
    notices: tuple[Notice, ...] = ()
    has_history: bool = False


class QuoteSource(Protocol):
    """Ticks of one symbol, in order. Its methods may block, and are called from one thread.

    `interrupt` alone is called from another one.
    """

    symbol: str
    is_simulated: bool
    is_live: bool
    """Whether its ticks are of this very moment, so that their times are held against the clock."""

    @property
    def trouble(self) -> str:
        """Why it can give no ticks now, such as a lost terminal; empty where it can."""

    @property
    def description(self) -> str:
        """A sentence that says what the ticks are and what was assumed."""

    def history(self, now_ms: int) -> Sequence[History]:
        """Closed candles that end before the first tick; raises `SourceError`.

        A live source has them once a poll says so.
        """

    def knows(self, bookmark: str) -> bool:
        """Whether `start` can continue behind this bookmark."""

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Continue behind ``bookmark``, but ``back`` ticks before it.

        Without a bookmark that it knows, begin behind ``time_ms``, the time of the last tick that
        the server has; None where it has none. Raises `SourceError`.
        """

    def poll(self, now_ms: int) -> Poll:
        """The next ticks. Raises `SourceError` where no more will ever come."""

    def interrupt(self) -> None:
        """Let a method that hangs in the source's thread return soon, for the end is near.

        Called from another thread. Whatever is asked of the source later may fail.
        """

    def close(self) -> None:
        """Let go of what the source holds."""
