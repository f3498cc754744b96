"""The connection to a MetaTrader 5 terminal: opened, logged in, watched, and its loss reported."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.base import Notice
from mt5_bridge.sources.terminal.calls import TerminalLostError

log = logging.getLogger("mt5_bridge.mt5")

SUCCESS: Final = 1
"""`last_error`'s code where nothing went wrong. Any other with a result: the result is partial."""
_ANSWER_TIMEOUT: Final = 30.0
"""Seconds for which a terminal that seems to be there may fail to answer."""


class Terminal(Protocol):
    """What is used of the `MetaTrader5` package; any call may raise `TerminalLostError`."""

    COPY_TICKS_ALL: int
    TIMEFRAME_M15: int
    TIMEFRAME_H1: int

    def initialize(self, *path: str, **account: Any) -> bool:
        """Find or start the terminal."""

    def login(self, login: int, /, **account: Any) -> bool:
        """Change the terminal's account."""

    def shutdown(self) -> None:
        """Let go of the terminal."""

    def last_error(self) -> tuple[int, str]:
        """Return code and text of the last call's failure, or of its success."""

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
        """Return candles, the newest at position 0, as a structured array; None on failure."""


@dataclass(frozen=True, slots=True)
class TerminalAccount:
    """How to open the terminal: its path and the account, empty for what is already open."""

    path: str = ""
    login: int | None = None
    password: str = ""
    server: str = ""


class TerminalConnection:
    """Whether ticks of ``symbol`` can be had from the terminal right now.

    What the analysis server should hear of is collected as notices: a loss once, and once that it
    is over. `server` is the broker's server, empty before the first look; `losses` rises whenever
    ticks may have come that the terminal did not get.
    """

    def __init__(self, terminal: Terminal, symbol: str, account: TerminalAccount) -> None:
        self.server = ""
        self.losses = 0
        self._terminal = terminal
        self._symbol = symbol
        self._account = account
        self._is_open = False
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
        terminal = self._terminal
        if not self._is_open:
            self._is_open = bool(terminal.initialize(*self._path(), **self._login()))
            if not self._is_open:
                return self._lose("the terminal cannot be opened")
        info = terminal.terminal_info()
        if info is None:
            # Its process is gone: what was opened must be opened anew.
            terminal.shutdown()
            self._is_open = False
            return self._lose("the terminal is gone")
        if not info.connected:
            return self._lose("the terminal has no connection to its broker")
        if not self._has_account():
            return False
        if not terminal.symbol_select(self._symbol, True):
            return self._miss_symbol()
        if self._failing_since is None or self._reported is None:
            self._come_back()
        return True

    def request_failed(self, what: str, seconds: float) -> None:
        """Note that a request failed; after a while of nothing else the terminal counts as lost."""
        if self._failing_since is None:
            self._failing_since = seconds
        elif seconds - self._failing_since >= _ANSWER_TIMEOUT:
            self._lose(what)

    def request_answered(self) -> None:
        self._failing_since = None

    def not_answered(self, error: TerminalLostError) -> None:
        """Note that a call was not answered in time, or never will be: the terminal is lost."""
        if error.is_process_gone:
            self._is_open = False
        self._lose(str(error), explain=False)

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
            self._is_open = False
            with suppress(TerminalLostError):
                self._terminal.shutdown()

    def _has_account(self) -> bool:
        """Look which account is open: a user may change it, and the broker with it."""
        wanted = self._account.login
        account = self._terminal.account_info()
        if wanted is not None and (account is None or account.login != wanted):
            known = {key: value for key, value in self._login().items() if key != "login"}
            if not self._terminal.login(wanted, **known):
                return self._lose(f"the terminal is not logged in to account {wanted}")
            account = self._terminal.account_info()
        if account is None:
            return self._lose("the terminal is not logged in")
        self.server = str(account.server)
        return True

    def _miss_symbol(self) -> bool:
        if not self._is_symbol_lost:
            self._is_symbol_lost = True
            self.losses += 1
            error = self._terminal.last_error()
            self.notify(
                ErrorCode.SYMBOL_UNAVAILABLE, f"the terminal has no symbol {self._symbol}: {error}"
            )
        return False

    def _lose(self, what: str, *, explain: bool = True) -> bool:
        """Note the loss; ``explain`` adds what the terminal says of its last call."""
        if self._reported is not False:
            self._reported = False
            self.losses += 1
            code, text = self._terminal.last_error()
            sentence = f"{what} ({code}: {text})" if explain else what
            self.notify(ErrorCode.MT5_DISCONNECTED, sentence)
        return False

    def _come_back(self) -> None:
        # At the first look, too: the analysis server may remember a loss from before our start.
        if self._reported is not True or self._is_symbol_lost:
            self._reported, self._is_symbol_lost = True, False
            self.notify(
                ErrorCode.MT5_RECONNECTED,
                f"the terminal is connected to {self.server} and gives {self._symbol}",
            )

    def _path(self) -> tuple[str, ...]:
        return (self._account.path,) if self._account.path else ()

    def _login(self) -> dict[str, Any]:
        account = self._account
        given = {"login": account.login, "password": account.password, "server": account.server}
        return {key: value for key, value in given.items() if value}
