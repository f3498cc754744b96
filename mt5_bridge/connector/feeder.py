"""From the source into the spool: nothing is sent that is not on the disk."""

import logging
import time
from dataclasses import replace
from typing import Final

from mt5_bridge.connector.spool import Spool, SpoolError, SpoolFullError, Stand
from mt5_bridge.protocol.quote_filter import QuoteFilter
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import Poll, Source
from mt5_bridge.sources.complaints import Complaint

log = logging.getLogger("mt5_bridge")

# Seconds after which a spool that takes nothing is told again, and tried again.
_SHOUT_AGAIN: Final = 60.0
_TRY_AGAIN: Final = 1.0


class Intake:
    """What one source gives, put into the spool; its methods run in the source's thread.

    `trouble` says why ticks find no place in the spool: FULL or NOT WRITABLE; it is empty where
    they do. `watermark_ms` is the source's, behind what is in the spool.
    """

    def __init__(self, source: Source, spool: Spool, *, is_to_end: bool) -> None:
        """``is_to_end``: a disk that fails is the end then, and not waited for."""
        self.trouble = ""
        self.watermark_ms: int | None = None
        self._source = source
        self._spool = spool
        self._symbol = source.symbol
        self._is_to_end = is_to_end
        self._filter = QuoteFilter()
        self._begin: tuple[str | None, int, int | None] = (None, 0, None)
        self._tried_at = 0.0
        self._shout = Complaint(every=_SHOUT_AGAIN)

    def start(self, bookmark: str | None, back: int, time_ms: int | None, now_ms: int) -> None:
        """Let the source begin or begin again; see `Source.start`."""
        self._source.start(bookmark, back, time_ms, now_ms)
        self._begin = bookmark, back, time_ms
        self.watermark_ms = None

    def take(self, now_ms: int) -> tuple[Poll, int]:
        """Move what the source has into the spool; return it, and how many were refused.

        Of what found no place the poll has no quotes. Raises `SourceError`, and `SpoolError` only
        where that is the end.
        """
        if self.trouble and not self._has_caught_up(now_ms):
            return self._pass_over(now_ms), 0
        poll = self._source.poll(now_ms)
        try:
            refused = self._store(poll)
        except SpoolFullError as error:
            return self._give_up(poll, "FULL", str(error)), 0
        except SpoolError as error:
            if self._is_to_end:
                raise
            self._spool.drop(self._symbol, len(poll.quotes))
            return self._give_up(poll, "NOT WRITABLE", str(error)), 0
        self.watermark_ms = poll.watermark_ms
        return poll, refused

    def _store(self, poll: Poll) -> int:
        """Put the good ticks into the spool; return how many were refused.

        None is refused for being of the future: it may be this machine's clock that is late, and
        what is thrown away here never comes again. Nor is one held against what the server has from
        another connector: should it forget that, this one has to have its own.
        """
        checked = self._filter.check(poll.quotes, self._stand().last)
        for refusal in checked.refusals[:1]:
            log.warning(
                "%d quotes of %s refused: %s", len(checked.refusals), self._symbol, refusal.text
            )
        if len(checked.quotes):
            self._spool.append(self._symbol, checked.quotes, poll.bookmark)
        return len(checked.refusals)

    def _give_up(self, poll: Poll, trouble: str, sentence: str) -> Poll:
        self.trouble = trouble
        self.watermark_ms = None
        self._tell(sentence)
        return replace(poll, quotes=Quotes.empty(), wait=_TRY_AGAIN, is_done=False)

    def _has_caught_up(self, now_ms: int) -> bool:
        """Go back to the last tick that found its place, if there is room now."""
        if time.monotonic() - self._tried_at < _TRY_AGAIN:
            return False
        self._tried_at = time.monotonic()
        try:
            self._spool.maintain(now_ms)
        except SpoolError as error:
            self._tell(str(error))
            return False
        stand = self._stand()
        if not self._spool.has_room:
            self._tell(
                f"the spool is full: {stand.dropped} ticks have found no room so far; "
                "the server has not acknowledged anything for long"
            )
            return False
        # Before the first tick of all there is no bookmark yet: then as it began.
        begin = (stand.bookmark, 0, stand.last.time_ms) if stand.bookmark else self._begin
        self._source.start(*begin, now_ms)
        self.trouble = ""
        self._shout.over()
        log.warning(
            "the spool takes ticks again; what found no place, %d since it was made, is read again "
            "from the source",
            stand.dropped,
        )
        return True

    def _pass_over(self, now_ms: int) -> Poll:
        """Look at the source while nothing can be kept: a live one goes on, a file waits."""
        if not self._source.is_live:
            return Poll(Quotes.empty(), "", wait=_TRY_AGAIN)
        poll = self._source.poll(now_ms)
        if len(poll.quotes):
            self._spool.drop(self._symbol, len(poll.quotes))
        return replace(poll, quotes=Quotes.empty(), watermark_ms=None, is_done=False)

    def _tell(self, sentence: str) -> None:
        if self._shout.is_due(self.trouble, time.monotonic()):
            log.critical("%s", sentence)

    def _stand(self) -> Stand:
        return self._spool.stand(self._symbol) or Stand(0, 0)
