"""The connection to a MetaTrader 5 terminal: opened, logged in, watched, and its loss reported."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.base import Notice
from mt5_bridge.sources.terminal.calls import PIPE_FAILURES, TerminalLostError
from mt5_bridge.sources.terminal.symbol_names import near_names

log = logging.getLogger("mt5_bridge.mt5")

_AUTHORISATION_FAILED: Final = -6
_ANSWER_TIMEOUT: Final = 30.0
"""Seconds for which a terminal that seems to be there may fail to answer."""
_REOPEN_AFTER: Final = 10.0
"""Seconds after which a pipe that was opened and fails is closed and opened again."""
# A broker blocks an account after some wrong passwords.
_FIRST_LOGIN_PAUSE, _LONGEST_LOGIN_PAUSE = 60.0, 900.0


class Terminal(Protocol):
    """What is used of the `MetaTrader5` package; any call may raise `TerminalLostError`."""

    COPY_TICKS_ALL: int
    TIMEFRAME_M15: int
    TIMEFRAME_H1: int

    def initialize(self, *path: str, **account: Any) -> bool:
        """Find or start the terminal."""

    def shutdown(self) -> None:
        """Let go of the terminal."""

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last call's failure, or of its success."""

    def terminal_info(self) -> Any:
        """The terminal's state, with `connected`; None where it is gone."""

    def account_info(self) -> Any:
        """The account, with `login` and `server`; None where there is none."""

    def symbols_get(self) -> Any:
        """All symbols, with `name` and `select` (in the market watch); None on failure."""

    def symbol_select(self, symbol: str, enable: bool, /) -> bool:
        """Put the symbol into the market watch."""

    def symbol_info_tick(self, symbol: str, /) -> Any:
        """The newest tick, with `time_msc`; None on failure."""

    def copy_ticks_from(self, symbol: str, date_from: int, count: int, flags: int, /) -> Any:
        """Ticks from a second on as a structured array; None on failure."""

    def copy_rates_from_pos(
        self, symbol: str, timeframe: int, start_pos: int, count: int, /
    ) -> Any:
        """Candles, the newest at position 0, as a structured array; None on failure."""


@dataclass(frozen=True, slots=True)
class TerminalAccount:
    """Which terminal to open, and which account has to be open in it; empty is whichever is.

    The password is needed only where the terminal is not logged in at all. A portable terminal
    keeps its data beside its program, so that several copies on one machine do not share them.
    """

    path: str = ""
    login: int | None = None
    password: str = field(default="", repr=False)
    server: str = ""
    is_portable: bool = False


class TerminalConnection:
    """Whether ticks of ``symbol`` can be had from the terminal right now.

    What the analysis server should hear of is collected as notices: a loss once, and once that it
    is over. `server` is the broker's server, empty before the first look; `losses` rises whenever
    ticks may have come that the terminal did not get. `trouble` is why no ticks can be had;
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
        self.server = ""
        self.losses = 0
        self.details = ""
        self.trouble = "the terminal was not opened yet"
        self._terminal = terminal
        self._symbol = symbol
        self._account = account
        self._seconds = seconds
        self._is_open = False
        self._opened_at = 0.0
        self._login_pause = _FIRST_LOGIN_PAUSE
        self._login_again_at: float | None = None
        self._is_symbol_lost = False
        # What was reported last: that the terminal works, that it does not, or nothing yet.
        self._reported: bool | None = None
        self._failing_since: float | None = None
        self._notices: list[Notice] = []

    @property
    def is_working(self) -> bool:
        """Whether the last `is_up` found everything in order."""
        return self._reported is True and not self._is_symbol_lost

    def is_up(self) -> bool:
        """Whether the terminal is there, its line stands and the symbol is watched."""
        if not self._is_open and not self._open():
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
        if self._failing_since is None or self._reported is None:
            self._come_back()
        return True

    def request_failed(self, what: str) -> None:
        """Note that a request failed; after a while of nothing else the terminal counts as lost.

        A pipe that goes on failing is closed, so that the next look opens it again.
        """
        seconds = self._seconds()
        if self._failing_since is None:
            self._failing_since = seconds
        is_pipe = self._has_pipe_failed()
        if seconds - self._failing_since >= _ANSWER_TIMEOUT:
            self._lose(what)
        failing_since = max(self._failing_since, self._opened_at)
        if is_pipe and self._is_open and seconds - failing_since >= _REOPEN_AFTER:
            log.warning("%s: the pipe to the terminal is closed and opened again", what)
            self._shut_down()

    def request_answered(self) -> None:
        self._failing_since = None

    def not_answered(self, error: TerminalLostError, *, was_up: bool) -> None:
        """Note that a call was not answered in time, or never will be: the terminal is lost.

        Where it ``was_up`` before that call, it is back only once such a call is answered.
        """
        if error.is_process_gone:
            self._is_open = False
        self._lose(str(error), explain=False)
        if was_up and self._failing_since is None:
            self._failing_since = self._seconds()

    def notify(self, code: ErrorCode, text: str) -> None:
        """Log something and let the analysis server hear of it."""
        self._notices.append(Notice(code, text))
        log.log(logging.INFO if code is ErrorCode.MT5_RECONNECTED else logging.ERROR, "%s", text)

    def take_notices(self) -> tuple[Notice, ...]:
        """What the analysis server should hear of, each once."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def close(self) -> None:
        if self._is_open:
            with suppress(TerminalLostError):
                self._shut_down()

    def _open(self) -> bool:
        """Attach to the terminal as it is, and log in only where nobody is.

        The package can change a terminal's account, and would take it away from whoever uses it: a
        person, or another connector.
        """
        self._is_open = bool(self._terminal.initialize(*self._path(), **self._mode()))
        self._opened_at = self._seconds()
        if self._is_open:
            if self._account.login is None or self._terminal.account_info() is not None:
                return True
            if self._has_pipe_failed():
                return self._close_pipe("the terminal does not say which account is open")
            self._shut_down()
        elif self._account.login is None or self._error()[0] != _AUTHORISATION_FAILED:
            return self._lose("the terminal cannot be opened")
        return self._log_in()

    def _log_in(self) -> bool:
        """Open the terminal with the account; after a refusal not again for minutes."""
        login, seconds = self._account.login, self._seconds()
        if self._login_again_at is not None and seconds < self._login_again_at:
            return False
        self._is_open = bool(
            self._terminal.initialize(*self._path(), **self._mode(), **self._login())
        )
        if self._is_open:
            self._login_pause, self._login_again_at = _FIRST_LOGIN_PAUSE, None
            return True
        if self._error()[0] != _AUTHORISATION_FAILED:
            return self._lose("the terminal cannot be opened")
        pause, self._login_again_at = self._login_pause, seconds + self._login_pause
        self._login_pause = min(2 * pause, _LONGEST_LOGIN_PAUSE)
        log.error("account %s was refused; the next attempt is in %.0f min", login, pause / 60)
        server = f" at {self._account.server}" if self._account.server else ""
        return self._lose(
            f"account {login}{server} is refused: check login, server and MT5_BRIDGE_PASSWORD"
        )

    def _has_account(self) -> bool:
        """Look which account is open: a user may change it, and the broker with it."""
        wanted, account = self._account, self._terminal.account_info()
        if account is None:
            if self._has_pipe_failed():
                return self._close_pipe("the terminal does not say which account is open")
            if wanted.login is not None:
                # Logged out since: log in as at the start.
                self._lose("the terminal is not logged in")
                self._shut_down()
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
        if self._has_pipe_failed():
            return self._close_pipe("the terminal does not answer")
        if not self._is_symbol_lost:
            self._is_symbol_lost = True
            self.losses += 1
            code, text = self._error()
            self.trouble = (
                f"the terminal has no symbol {self._symbol} ({code}: {text}){self._proposal()}"
            )
            self.notify(ErrorCode.SYMBOL_UNAVAILABLE, self.trouble)
        return False

    def _lose(self, what: str, *, explain: bool = True) -> bool:
        """Note the loss; ``explain`` adds what the terminal says of its last call."""
        if self._reported is not False:
            self._reported = False
            self.losses += 1
            code, text = self._error()
            self.trouble = sentence = f"{what} ({code}: {text})" if explain else what
            self.notify(ErrorCode.MT5_DISCONNECTED, sentence)
        return False

    def _come_back(self) -> None:
        # At the first look, too: the analysis server may remember a loss from before our start.
        if self._reported is not True or self._is_symbol_lost:
            self._reported, self._is_symbol_lost = True, False
            self.trouble = ""
            self.notify(
                ErrorCode.MT5_RECONNECTED,
                f"the terminal is connected to {self.server} and gives {self._symbol}",
            )

    def _close_pipe(self, what: str) -> bool:
        # In this order: closing is a call too, and overwrites the error.
        self._lose(what)
        self._shut_down()
        return False

    def _shut_down(self) -> None:
        self._is_open = False
        self._terminal.shutdown()

    def _has_pipe_failed(self) -> bool:
        return self._error()[0] in PIPE_FAILURES

    def _error(self) -> tuple[int, str]:
        return self._terminal.last_error()

    def _proposal(self) -> str:
        """Name the symbols that may be meant, for the end of a sentence."""
        found = self._terminal.symbols_get() or ()
        near = near_names(self._symbol, (str(each.name) for each in found))
        if not near:
            return ""
        return f"; it has {', '.join(near)}: give the one that is meant with --terminal-symbol"

    def _mode(self) -> dict[str, bool]:
        return {"portable": True} if self._account.is_portable else {}

    def _path(self) -> tuple[str, ...]:
        return (self._account.path,) if self._account.path else ()

    def _login(self) -> dict[str, Any]:
        account = self._account
        given = {"login": account.login, "password": account.password, "server": account.server}
        return {key: value for key, value in given.items() if value}


def _details(info: Any) -> str:
    """Describe the terminal for people; what it does not say is left out."""
    build, ping = getattr(info, "build", 0), getattr(info, "ping_last", 0)
    trading = "on" if getattr(info, "trade_allowed", False) else "off"
    parts = [f"build {build}"] * bool(build) + [f"ping {ping / 1000:.0f} ms"] * bool(ping)
    return ", ".join([*parts, f"AutoTrading {trading}"])
