"""From the source into the spool: nothing is sent that is not on the disk."""

import logging
import time
from dataclasses import replace
from typing import Final

from mt5_bridge.connector.spool import Spool, SpoolFullError
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.connector.spool_tables import SpoolState
from mt5_bridge.protocol.quote_filter import WITHOUT_JUMPS
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import Poll, QuoteSource
from mt5_bridge.sources.log_limiter import LogLimiter

log = logging.getLogger("mt5_bridge")

# Seconds after which a spool that takes no ticks is logged again, and tried again.
_LOG_AGAIN: Final = 60.0
_TRY_AGAIN: Final = 1.0


class Feeder:
    """Feeds a source's ticks into the spool; its methods run in the source's thread.

    `trouble` says why the spool takes no ticks: FULL or NOT WRITABLE; it is empty where it does.
    `watermark_ms` is the source's, and true of what is in the spool.
    """

    def __init__(self, source: QuoteSource, spool: Spool, *, ends_on_error: bool) -> None:
        """``ends_on_error``: a disk that fails is the end then, and not waited for."""
        self.trouble = ""
        self.watermark_ms: int | None = None
        self._source = source
        self._spool = spool
        self._ends_on_error = ends_on_error
        self._filter = WITHOUT_JUMPS
        self._begin: tuple[str | None, int, int | None] = (None, 0, None)
        self._tried_at = 0.0
        self._log_limiter = LogLimiter(every=_LOG_AGAIN)

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Let the source begin or begin again; see `QuoteSource.start`."""
        self._source.start(bookmark, back, time_ms, now_ms)
        self._begin = bookmark, back, time_ms
        self.watermark_ms = None

    def feed(self, now_ms: int) -> tuple[Poll, int]:
        """Move what the source has into the spool; return it, and how many ticks were refused.

        Where the spool took nothing the poll has no quotes. Raises `SourceError`, and `SpoolError`
        only where that is the end.
        """
        if self.trouble and not self._has_recovered(now_ms):
            return self._poll_without_spool(now_ms), 0
        poll = self._source.poll(now_ms)
        try:
            refused = self._store(poll)
        except SpoolFullError as error:
            return self._give_up(poll, "FULL", str(error)), 0
        except SpoolError as error:
            if self._ends_on_error:
                raise
            self._spool.drop(self._source.symbol, len(poll.quotes))
            return self._give_up(poll, "NOT WRITABLE", str(error)), 0
        self.watermark_ms = poll.watermark_ms
        return poll, refused

    def _store(self, poll: Poll) -> int:
        """Put the good ticks into the spool; return how many were refused.

        None is refused for a jump of the price: whether that lasts, the server alone judges. None
        is refused for being of the future: it may be this machine's clock that is late, and what is
        thrown away here never comes again. Nor is one held against what the server has from
        another connector: should it forget that, this one has to have its own.
        """
        symbol = self._source.symbol
        checked = self._filter.check(poll.quotes, self._state().last)
        for refusal in checked.refusals[:1]:
            log.warning("%d quotes of %s refused: %s", len(checked.refusals), symbol, refusal.text)
        if len(checked.quotes):
            self._spool.append(symbol, checked.quotes, poll.bookmark)
        return len(checked.refusals)

    def _give_up(self, poll: Poll, trouble: str, sentence: str) -> Poll:
        self.trouble = trouble
        self.watermark_ms = None
        self._log_trouble(sentence)
        return replace(poll, quotes=Quotes.empty(), wait=_TRY_AGAIN, is_done=False)

    def _has_recovered(self, now_ms: int) -> bool:
        """Look whether there is room now; then go back to the last tick that the spool took."""
        if time.monotonic() - self._tried_at < _TRY_AGAIN:
            return False
        self._tried_at = time.monotonic()
        try:
            self._spool.maintain(now_ms)
        except SpoolError as error:
            self._log_trouble(str(error))
            return False
        state = self._state()
        if not self._spool.has_room:
            self._log_trouble(
                f"the spool is full: {state.dropped} ticks have found no room so far; "
                "the server has not acknowledged anything for long"
            )
            return False
        # Before the first tick of all there is no bookmark yet: then as it began.
        begin = (state.bookmark, 0, state.last.time_ms) if state.bookmark else self._begin
        self._source.start(*begin, now_ms)
        self.trouble = ""
        self._log_limiter.reset()
        log.warning(
            "the spool takes ticks again; what found no place, %d since it was made, is read again "
            "from the source",
            state.dropped,
        )
        return True

    def _poll_without_spool(self, now_ms: int) -> Poll:
        """Look at the source while nothing can be kept: a live one goes on, a file waits."""
        if not self._source.is_live:
            return Poll(Quotes.empty(), "", wait=_TRY_AGAIN)
        poll = self._source.poll(now_ms)
        if len(poll.quotes):
            self._spool.drop(self._source.symbol, len(poll.quotes))
        return replace(poll, quotes=Quotes.empty(), watermark_ms=None, is_done=False)

    def _log_trouble(self, sentence: str) -> None:
        if self._log_limiter.is_due(self.trouble, time.monotonic()):
            log.critical("%s", sentence)

    def _state(self) -> SpoolState:
        return self._spool.state(self._source.symbol) or SpoolState()
