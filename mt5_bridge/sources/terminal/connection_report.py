"""What is said of the connection to a terminal: that it is lost, once, and once that it is back."""

import logging
from typing import Final

from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.base import Notice

log = logging.getLogger("mt5_bridge.mt5")

_NOT_OPENED: Final = "the terminal was not opened yet"


class ConnectionReport:
    """`trouble` is why no ticks can be had, empty where they can.

    `losses` rises whenever ticks may have come that the terminal did not get. What the analysis
    server should hear of is collected as notices.
    """

    def __init__(self) -> None:
        self.losses = 0
        self.trouble = _NOT_OPENED
        self.has_symbol = True
        # What was reported last: that the terminal works, that it does not, or nothing yet.
        self._reported: bool | None = None
        self._notices: list[Notice] = []

    @property
    def is_working(self) -> bool:
        return self._reported is True and self.has_symbol

    @property
    def is_new(self) -> bool:
        """Whether nothing was reported yet."""
        return self._reported is None

    @property
    def is_lost(self) -> bool:
        """Whether the terminal was reported as lost, and not as back."""
        return self._reported is False

    def lost(self, trouble: str) -> None:
        """Report the loss of the terminal, unless that has been done."""
        if self._reported is not False:
            self._reported = False
            self._count(ErrorCode.MT5_DISCONNECTED, trouble)

    def symbol_missing(self, trouble: str) -> None:
        """Report that a terminal which works lacks the symbol, unless that has been done."""
        if self.has_symbol:
            self.has_symbol = False
            self._count(ErrorCode.SYMBOL_UNAVAILABLE, trouble)

    def came_back(self, text: str) -> None:
        """Report that all is well, unless that has been done.

        At the first look, too: the analysis server may remember a loss from before our start.
        """
        if not self.is_working:
            self._reported, self.has_symbol = True, True
            self.trouble = ""
            self.notify(ErrorCode.MT5_RECONNECTED, text)

    def notify(self, code: ErrorCode, text: str) -> None:
        """Log something and let the analysis server hear of it."""
        self._notices.append(Notice(code, text))
        log.log(logging.INFO if code is ErrorCode.MT5_RECONNECTED else logging.ERROR, "%s", text)

    def take_notices(self) -> tuple[Notice, ...]:
        """What the analysis server should hear of, each once."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def _count(self, code: ErrorCode, trouble: str) -> None:
        self.losses += 1
        self.trouble = trouble
        self.notify(code, trouble)
