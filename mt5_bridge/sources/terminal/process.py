"""The terminal seen from the connector: a child process does the calls, and is watched.

A call that takes too long raises `TerminalLostError` while it goes on; one that takes much longer
has its process killed, and the next call starts another one. What a late answer holds is thrown
away: who asked has been refused, and asks again.
"""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from mt5_bridge.sources.terminal import calls, child
from mt5_bridge.sources.terminal.call_watchdog import CallLimits, CallWatchdog
from mt5_bridge.sources.terminal.calls import Answer, Call, Method, TerminalLostError

log = logging.getLogger("mt5_bridge.mt5")

# Of the longest limit of a call: a process whose parent is gone ends itself after so much of it.
_ORPHAN_FACTOR: Final = 2.0
_KILLED_WITHIN: Final = 5.0
_INITIALIZE_TIMEOUT_MS: Final = 60_000


class TerminalProcess:
    """The functions of the package that the connector uses, done in a child process.

    Its methods are called from one thread, `end` from any. They raise `TerminalLostError`.
    """

    COPY_TICKS_ALL = calls.TICKS_ALL
    TIMEFRAME_M15 = calls.TIMEFRAME_M15
    TIMEFRAME_H1 = calls.TIMEFRAME_H1

    def __init__(
        self,
        package: str = "MetaTrader5",
        limits: CallLimits | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._package = package
        self._limits = limits or CallLimits()
        self._watchdog = CallWatchdog(self._limits)
        self._seconds = seconds
        self._number = child.HELLO
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._error: tuple[int, str] = (1, "Success")
        # Held while a process is started or killed: `end` comes from another thread.
        self._lock = threading.Lock()
        self._is_ended = False

    @property
    def pid(self) -> int | None:
        """The child's process id, None without one."""
        process = self._process
        return process.pid if process is not None else None

    def initialize(self, *path: str, **options: Any) -> bool:
        options = {"timeout": _INITIALIZE_TIMEOUT_MS, **options}
        end = self._limits.initialize_end
        return bool(self._ask(Method.INITIALIZE, *path, end=end, options=options))

    def shutdown(self) -> None:
        """Let go of the terminal; where it hangs its process is killed instead."""
        if self._process is None or self._is_ended:
            return
        if self._watchdog.is_waiting:
            self._kill()
            return
        self._ask(Method.SHUTDOWN)

    def last_error(self) -> tuple[int, str]:
        return self._error

    def terminal_info(self) -> calls.TerminalInfo | None:
        found: calls.TerminalInfo | None = self._ask(Method.TERMINAL_INFO)
        return found

    def account_info(self) -> calls.AccountInfo | None:
        found: calls.AccountInfo | None = self._ask(Method.ACCOUNT_INFO)
        return found

    def symbols_get(self) -> tuple[calls.SymbolInfo, ...] | None:
        found: tuple[calls.SymbolInfo, ...] | None = self._ask(Method.SYMBOLS_GET)
        return found

    def symbol_select(self, symbol: str, enable: bool, /) -> bool:
        return bool(self._ask(Method.SYMBOL_SELECT, symbol, enable))

    def symbol_info_tick(self, symbol: str, /) -> calls.NewestTick | None:
        found: calls.NewestTick | None = self._ask(Method.SYMBOL_INFO_TICK, symbol)
        return found

    def copy_ticks_from(self, symbol: str, date_from: int, count: int, flags: int, /) -> Any:
        return self._ask(Method.COPY_TICKS_FROM, symbol, date_from, count, flags)

    def copy_rates_from_pos(
        self, symbol: str, timeframe: int, start_pos: int, count: int, /
    ) -> Any:
        return self._ask(Method.COPY_RATES_FROM_POS, symbol, timeframe, start_pos, count)

    def end(self) -> None:
        """Kill the process for good: a call under way raises at once, and so does every later one.

        Called from any thread.
        """
        self._is_ended = True
        self._kill()

    def _ask(
        self,
        method: Method,
        *arguments: str | int | bool,
        end: float | None = None,
        options: dict[str, Any] | None = None,
    ) -> Any:
        connection = self._ready()
        self._number += 1
        try:
            connection.send(Call(self._number, method, arguments, options or {}))
        except OSError:
            raise self._died() from None
        self._watchdog.begin(method.value, self._seconds(), end=end)
        answer = self._answer(connection)
        self._error = answer.error
        return answer.value

    def _ready(self) -> Connection:
        """The connection to a process that waits for a call."""
        if self._process is None:
            self._start()
        connection = self._connection
        if connection is None:
            raise TerminalLostError("the connector is ending", is_process_gone=True)
        if self._watchdog.is_waiting:
            # A late answer to an earlier call, or the package that is still being loaded.
            self._answer(connection)
        return connection

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        with self._lock:
            if self._is_ended:
                return
            ours, theirs = context.Pipe()
            longest = _ORPHAN_FACTOR * max(self._limits.end, self._limits.initialize_end)
            process = context.Process(
                target=child.run,
                args=(theirs, self._package, longest),
                name="mt5-terminal",
                daemon=True,
            )
            process.start()
            # Its other end must be open in the child alone, or nobody would notice its death.
            theirs.close()
            self._process, self._connection = process, ours
        self._watchdog.begin("its start", self._seconds(), end=self._limits.start)

    def _answer(self, connection: Connection) -> Answer:
        """Wait for the answer to the call under way."""
        try:
            has_answer = connection.poll(self._watchdog.patience(self._seconds()))
            answer = connection.recv() if has_answer else None
        except (EOFError, OSError):
            raise self._died() from None
        now = self._seconds()
        if answer is None:
            sentence = self._watchdog.sentence(now)
            is_over = self._watchdog.must_end(now)
            if is_over:
                log.error("%s: its process is killed and started anew", sentence)
                self._kill()
            raise TerminalLostError(sentence, is_process_gone=is_over)
        assert isinstance(answer, Answer)
        self._watchdog.answered()
        if answer.failure:
            is_unloadable = answer.number == child.HELLO
            if is_unloadable:
                self._kill()
            raise TerminalLostError(answer.failure, is_process_gone=is_unloadable)
        return answer

    def _died(self) -> TerminalLostError:
        process = self._process
        code = None
        if process is not None:
            process.join(_KILLED_WITHIN)
            code = process.exitcode
        self._kill()
        return TerminalLostError(
            f"the process that talks to the terminal has ended (exit code {code})",
            is_process_gone=True,
        )

    def _kill(self) -> None:
        with self._lock:
            process, connection = self._process, self._connection
            self._process = None
            if not self._is_ended:
                self._watchdog.answered()
            if process is not None:
                process.kill()
                process.join(_KILLED_WITHIN)
            # Left open where another thread may be waiting on it: the child's death ends that.
            if connection is not None and not self._is_ended:
                self._connection = None
                with suppress(OSError):
                    connection.close()
