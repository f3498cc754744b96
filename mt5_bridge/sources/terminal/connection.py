"""The connection to a MetaTrader 5 terminal: watched, and its loss reported once."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from mt5_bridge.sources.terminal.calls import TerminalLostError
from mt5_bridge.sources.terminal.connection_report import ConnectionReport
from mt5_bridge.sources.terminal.opening import (
    CannotOpenError,
    Terminal,
    TerminalAccount,
    TerminalOpening,
)
from mt5_bridge.sources.terminal.symbol_names import near_names

log = logging.getLogger("mt5_bridge.mt5")

_ANSWER_TIMEOUT: Final = 30.0
"""Seconds for which a terminal that seems to be there may fail to answer."""
_REOPEN_AFTER: Final = 10.0
"""Seconds after which a pipe that was opened and fails is closed and opened again."""


class TerminalConnection:
    """Whether ticks of ``symbol`` can be had from the terminal right now.

    `report` is what is said of that. `server` is the broker's server, empty before the first look;
    `details` are the terminal's build, its ping and whether it may trade.
    """

    def __init__(
        self,
        terminal: Terminal,
        symbol: str,
        account: TerminalAccount,
        seconds: Callable[[], float],
    ) -> None:
        """``seconds`` is a clock that never goes back."""
        self.report = ConnectionReport()
        self.server = ""
        self.details = ""
        self._terminal = terminal
        self._symbol = symbol
        self._account = account
        self._seconds = seconds
        self._opening = TerminalOpening(terminal, account, seconds)
        self._failing_since: float | None = None

    def is_up(self) -> bool:
        """Whether the terminal is there, its line stands and the symbol is watched."""
        if not self._opening.is_open and not self._open():
            return False
        info = self._terminal.terminal_info()
        if info is None:
            # Its process is gone: what was opened must be opened anew.
            return self._close_pipe("the terminal is gone")
        self.details = _details(info)
        if not info.connected:
            return self._lose("the terminal has no connection to its broker")
        if not self._has_account():
            return False
        if not self._terminal.symbol_select(self._symbol, True):
            return self._miss_symbol()
        if self._failing_since is None or self.report.is_new:
            self.report.came_back(
                f"the terminal is connected to {self.server} and gives {self._symbol}"
            )
        return True

    def request_failed(self, what: str) -> None:
        """Note that a request failed; after a while of nothing else the terminal counts as lost.

        A pipe that goes on failing is closed, so that the next look opens it again.
        """
        seconds = self._seconds()
        if self._failing_since is None:
            self._failing_since = seconds
        is_pipe = self._opening.has_pipe_failed()
        if seconds - self._failing_since >= _ANSWER_TIMEOUT:
            self._lose(what)
        failing_since = max(self._failing_since, self._opening.opened_at)
        if is_pipe and self._opening.is_open and seconds - failing_since >= _REOPEN_AFTER:
            log.warning("%s: the pipe to the terminal is closed and opened again", what)
            self._opening.close()

    def request_answered(self) -> None:
        self._failing_since = None

    def not_answered(self, error: TerminalLostError, *, was_up: bool) -> None:
        """Note that a call was not answered in time, or never will be: the terminal is lost.

        Where it ``was_up`` before that call, it is back only once such a call is answered.
        """
        if error.is_process_gone:
            self._opening.is_open = False
        self._lose(str(error), explain=False)
        if was_up and self._failing_since is None:
            self._failing_since = self._seconds()

    def close(self) -> None:
        if self._opening.is_open:
            with suppress(TerminalLostError):
                self._opening.close()

    def _open(self) -> bool:
        try:
            return self._opening.open()
        except CannotOpenError as error:
            self._lose(str(error))
            if self._opening.is_open:
                # In this order: closing is a call too, and overwrites the error.
                self._opening.close()
            return False

    def _has_account(self) -> bool:
        """Look which account is open: a user may change it, and the broker with it."""
        wanted, account = self._account, self._terminal.account_info()
        if account is None:
            if self._opening.has_pipe_failed():
                return self._close_pipe("the terminal does not say which account is open")
            if wanted.login is not None:
                # Logged out since: log in as at the start.
                self._lose("the terminal is not logged in")
                self._opening.close()
                return False
            return self._lose("the terminal is not logged in")
        is_other_server = wanted.server and wanted.server.lower() != str(account.server).lower()
        if wanted.login is not None and (account.login != wanted.login or is_other_server):
            return self._lose(
                f"the terminal is logged in to account {account.login} at {account.server}, and "
                f"this connector is for {wanted.login}: log that one in, or give each account a "
                "terminal of its own (--terminal)",
                explain=False,
            )
        self.server = str(account.server)
        return True

    def _miss_symbol(self) -> bool:
        if self._opening.has_pipe_failed():
            return self._close_pipe("the terminal does not answer")
        if self.report.has_symbol:
            code, text = self._error()
            self.report.symbol_missing(
                f"the terminal has no symbol {self._symbol} ({code}: {text}){self._proposal()}"
            )
        return False

    def _lose(self, what: str, *, explain: bool = True) -> bool:
        """Note the loss; ``explain`` adds what the terminal says of its last call."""
        if not self.report.is_lost:
            code, text = self._error()
            self.report.lost(f"{what} ({code}: {text})" if explain else what)
        return False

    def _close_pipe(self, what: str) -> bool:
        # In this order: closing is a call too, and overwrites the error.
        self._lose(what)
        self._opening.close()
        return False

    def _error(self) -> tuple[int, str]:
        return self._terminal.last_error()

    def _proposal(self) -> str:
        """Name the symbols that may be meant, for the end of a sentence."""
        found = self._terminal.symbols_get() or ()
        near = near_names(self._symbol, (str(each.name) for each in found))
        if not near:
            return ""
        return f"; it has {', '.join(near)}: give the one that is meant with --terminal-symbol"


def _details(info: Any) -> str:
    """Describe the terminal for people; what it does not say is left out."""
    build, ping = getattr(info, "build", 0), getattr(info, "ping_last", 0)
    trading = "on" if getattr(info, "trade_allowed", False) else "off"
    parts = [f"build {build}"] * bool(build) + [f"ping {ping / 1000:.0f} ms"] * bool(ping)
    return ", ".join([*parts, f"AutoTrading {trading}"])
