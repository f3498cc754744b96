"""Whether processes are at work, such as compiling, by the processor time that they take."""

import time
from collections.abc import Iterable

import psutil

#: An idle worker or server takes far less than this part of a core.
_BUSY_SHARE = 0.05
_LOOK_EVERY_SECONDS = 2.0


class Patience:
    """A deadline that moves on for as long as one of the processes is at work."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._looked_at = time.monotonic()
        self._taken: dict[int, float] = {}

    def is_over(self, pids: Iterable[int]) -> bool:
        """Whether none of these did anything for the whole time."""
        now = time.monotonic()
        passed = now - self._looked_at
        if passed >= _LOOK_EVERY_SECONDS:
            taken = {pid: _processor_seconds(pid) for pid in pids}
            if any(
                seconds - self._taken.get(pid, 0.0) >= _BUSY_SHARE * passed
                for pid, seconds in taken.items()
            ):
                self._deadline = now + self._seconds
            self._taken, self._looked_at = taken, now
        return now > self._deadline


def _processor_seconds(pid: int) -> float:
    """What the process itself has taken so far; 0 where it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
