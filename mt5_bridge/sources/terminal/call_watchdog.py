"""How long a call may take: when the terminal counts as lost, when its process is ended.

The package answers no call before the terminal does, without a time limit of its own. Pure: the
driver says what time it is.
"""

from dataclasses import dataclass
from typing import Final

# A call that is known to hang is waited for this long at a time, so that the others may go on.
_LOOK_AGAIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Seconds from the beginning of a call.

    After `answer` the terminal counts as lost: a terminal that fetches a long history may take some
    while, but the server is to hear of a hung one within 35 s. After `end` the process is killed.
    `initialize` starts the terminal where it does not run, which takes longer.
    """

    answer: float = 25.0
    end: float = 60.0
    initialize_end: float = 110.0
    start: float = 30.0
    """For the process to start and load the package."""


@dataclass(slots=True)
class CallWatchdog:
    """Watches the one call that is under way, if one is."""

    limits: CallLimits
    what: str = ""
    _began: float = 0.0
    _end: float = 0.0
    _is_late: bool = False

    @property
    def is_waiting(self) -> bool:
        return bool(self.what)

    def begin(self, what: str, seconds: float, *, end: float | None = None) -> None:
        """Note that the call ``what`` began; ``end`` where it is not the usual limit."""
        self.what, self._began, self._is_late = what, seconds, False
        self._end = seconds + (self.limits.end if end is None else end)

    def answered(self) -> None:
        self.what = ""

    def patience(self, seconds: float) -> float:
        """For how many seconds to wait for the answer now."""
        until = seconds + _LOOK_AGAIN if self._is_late else self._began + self.limits.answer
        return max(min(until, self._end) - seconds, 0.0)

    def must_end(self, seconds: float) -> bool:
        """Whether the process has to be killed, asked when the patience has run out."""
        self._is_late = True
        return seconds >= self._end

    def sentence(self, seconds: float) -> str:
        return f"the terminal has not answered {self.what} for {seconds - self._began:.0f} s"
