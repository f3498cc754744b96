"""Waits until everything that the feed brought is stored, decided and sent."""

import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import children, process
from goldtrader.stack.processes.fork import Fork
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import Screen

#: For so long a database or a Redis that does not answer is asked again.
_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.25


class Drained(Enum):
    """How waiting ended."""

    DONE = "no work is left"
    TICKS_LOST = "Redis does not hold the feed to its end; the connector must send it again"


@dataclass(frozen=True, slots=True)
class SentFeed:
    """What the stack's own connector has sent: its symbol, and the spool that numbered the ticks.

    Read it only while the connector does not run, which holds its spool alone.
    """

    symbol: str
    spool: Path

    def last_seq(self) -> int:
        """The number of its last tick, 0 where it sent none; raises `StackError`."""
        from mt5_bridge.connector.spool import Spool
        from mt5_bridge.connector.spool_file import SpoolError

        try:
            spool = Spool(self.spool)
            try:
                return spool.last_seq(self.symbol) or 0
            finally:
                spool.close()
        except SpoolError as error:
            raise StackError(f"Whether the feed is whole cannot be found out: {error}.") from error


def drain(supervisor: Supervisor, screen: Screen, feed: SentFeed) -> Drained:
    """Return once no work is left or ticks are lost, keeping the children running meanwhile.

    Raises `StackError` where it cannot be found out for minutes what is left.
    """
    screen.note("The feed has ended; the pipeline finishes its work.")
    ours, theirs = multiprocessing.Pipe(duplex=False)
    # In a fork: its connections must not be shared with children that are started again.
    waiting = Fork("drain", partial(_report, feed, theirs)).start(log=None)
    try:
        while waiting.poll() is None:
            for ended in supervisor.check():
                screen.note(f"{ended.name} ended with exit code {ended.exit_code}.")
            time.sleep(0.1)
        found: Drained | str = (
            ours.recv()
            if ours.poll()
            else f"Waiting for the pipeline's work ended with exit code {waiting.wait()}."
        )
    finally:
        process.stop(waiting, grace_seconds=2.0)
        ours.close()
        theirs.close()
    if isinstance(found, str):
        raise StackError(found)
    if found is Drained.DONE:
        screen.note("All work is done.")
    return found


def _report(feed: SentFeed, answer: Connection) -> None:
    """Send what came of waiting: how it ended, or a sentence that says why it was given up."""
    try:
        found = _wait(feed.last_seq(), partial(_look, feed.symbol))
        missing = _without_rate() if found is Drained.DONE else ""
        answer.send(missing or found)
    except StackError as error:
        answer.send(str(error))


def _without_rate() -> str:
    from goldtrader.operations import drain

    return " ".join(drain.without_rate())


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left to do, in words, empty for nothing; and up to where Redis has the feed."""

    work: str
    stored_seq: int


def _wait(last_seq: int, look: Callable[[], _Left]) -> Drained:
    """Look again and again until no work is left of a feed with so many ticks, or some are lost.

    Prints what is left whenever that changes. ``look`` raises `_Unanswered`; where it does nothing
    else for minutes, so does this, as `StackError`.
    """
    printed, known = "", "not known"
    answered_at = time.monotonic()
    while True:
        try:
            left = look()
        except _Unanswered as error:
            silent_for = time.monotonic() - answered_at
            if silent_for > _PATIENCE_SECONDS:
                raise StackError(
                    f"For {silent_for:.0f} s {error}; what was left to do before: {known}."
                ) from error
            now = f"{error}; it is asked again"
        else:
            answered_at = time.monotonic()
            # Asked for after the work: between the two, Redis may have lost what it had.
            if left.stored_seq < last_seq:
                return Drained.TICKS_LOST
            if not left.work:
                return Drained.DONE
            now = known = left.work
        if now != printed:
            sys.stdout.write(f"          {now}\n")
            printed = now
        time.sleep(_PAUSE_SECONDS)


class _Unanswered(Exception):  # noqa: N818 - it says what is the matter
    """PostgreSQL or Redis did not answer; begins with which of them, as a sentence goes on."""


def _look(symbol: str) -> _Left:
    from django.db import Error, connections
    from redis import RedisError

    from goldtrader.operations import drain

    try:
        _, work = drain.is_drained()
        return _Left(work, drain.stored_seq(symbol, children.CONNECTOR_NAME))
    except RedisError as error:
        raise _Unanswered(f"Redis did not answer ({_words(error)})") from error
    except Error as error:
        # The next look connects anew.
        connections.close_all()
        raise _Unanswered(f"PostgreSQL did not answer ({_words(error)})") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
