"""Opening a MetaTrader 5 terminal, and logging in where nobody is: seldom after a refusal."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from mt5_bridge.sources.terminal.calls import PIPE_FAILURES

log = logging.getLogger("mt5_bridge.mt5")

_AUTHORISATION_FAILED: Final = -6
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


class CannotOpenError(Exception):
    """The terminal is not open; the sentence says why, and the last error more of it."""


class TerminalOpening:
    """Whether this process has a pipe to the terminal: opened, closed, and since when.

    `opened_at` is the time of the last attempt, in ``seconds`` of a clock that never goes back.
    """

    def __init__(
        self, terminal: Terminal, account: TerminalAccount, seconds: Callable[[], float]
    ) -> None:
        self.is_open = False
        self.opened_at = 0.0
        self._terminal = terminal
        self._account = account
        self._seconds = seconds
        self._login_pause = _FIRST_LOGIN_PAUSE
        self._login_again_at: float | None = None

    def open(self) -> bool:
        """Attach to the terminal as it is, and log in only where nobody is.

        The package can change a terminal's account, and would take it away from whoever uses it: a
        person, or another connector. `False` while a refused login pauses; raises
        `CannotOpenError`, and the pipe may be open then.
        """
        self.is_open = self._initialize()
        self.opened_at = self._seconds()
        if self.is_open:
            if self._account.login is None or self._terminal.account_info() is not None:
                return True
            if self.has_pipe_failed():
                raise CannotOpenError("the terminal does not say which account is open")
            self.close()
        elif self._account.login is None or not self._is_refused():
            raise CannotOpenError("the terminal cannot be opened")
        return self._log_in()

    def close(self) -> None:
        """Let go of the terminal."""
        self.is_open = False
        self._terminal.shutdown()

    def has_pipe_failed(self) -> bool:
        """Whether the last call failed since the terminal was not reached."""
        return self._terminal.last_error()[0] in PIPE_FAILURES

    def _log_in(self) -> bool:
        """Open the terminal with the account; after a refusal not again for minutes."""
        login, seconds = self._account.login, self._seconds()
        if self._login_again_at is not None and seconds < self._login_again_at:
            return False
        self.is_open = self._initialize(**self._login())
        if self.is_open:
            self._login_pause, self._login_again_at = _FIRST_LOGIN_PAUSE, None
            return True
        if not self._is_refused():
            raise CannotOpenError("the terminal cannot be opened")
        pause, self._login_again_at = self._login_pause, seconds + self._login_pause
        self._login_pause = min(2 * pause, _LONGEST_LOGIN_PAUSE)
        log.error("account %s was refused; the next attempt is in %.0f min", login, pause / 60)
        server = f" at {self._account.server}" if self._account.server else ""
        raise CannotOpenError(
            f"account {login}{server} is refused: check login, server and MT5_BRIDGE_PASSWORD"
        )

    def _initialize(self, **login: Any) -> bool:
        path = (self._account.path,) if self._account.path else ()
        mode = {"portable": True} if self._account.is_portable else {}
        return bool(self._terminal.initialize(*path, **mode, **login))

    def _is_refused(self) -> bool:
        return self._terminal.last_error()[0] == _AUTHORISATION_FAILED

    def _login(self) -> dict[str, Any]:
        account = self._account
        given = {"login": account.login, "password": account.password, "server": account.server}
        return {key: value for key, value in given.items() if value}
