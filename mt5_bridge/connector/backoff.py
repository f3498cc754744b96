"""Growing pauses between attempts that fail."""

import random


class Backoff:
    """Pauses in seconds that double up to the longest one.

    Each is shortened at random: connectors that a server lost together must not come back together.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = self._pause = first
        self._longest = longest

    def next_pause(self) -> float:
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._pause = min(2 * self._pause, self._longest)
        return pause

    def at_least(self, seconds: float) -> None:
        """Make the next pause one of about so many seconds, where it would be shorter."""
        self._pause = max(self._pause, seconds)

    def reset(self) -> None:
        self._pause = self._first
