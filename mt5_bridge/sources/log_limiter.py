"""Limits how often one and the same trouble is written into the log."""


class LogLimiter:
    """Lets a sentence through when it is new, and again after every ``every`` seconds of it."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: tuple[str, float] | None = None

    def is_due(self, sentence: str, seconds: float) -> bool:
        """Whether to log the sentence now; ``seconds`` is a clock that never goes back."""
        if self._last is not None:
            logged, logged_at = self._last
            if sentence == logged and seconds - logged_at < self._every:
                return False
        self._last = sentence, seconds
        return True

    def reset(self) -> None:
        """Forget the trouble, which is over: should it come again, that is news."""
        self._last = None
