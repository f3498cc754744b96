"""How often one and the same trouble is written into the log."""


class Complaint:
    """A sentence of trouble: told when it is new, and again after ``every`` seconds of it."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._told: tuple[str, float] | None = None

    def is_due(self, sentence: str, seconds: float) -> bool:
        """Return whether to log the sentence now; ``seconds`` is a clock that never goes back."""
        if self._told is not None:
            told, at = self._told
            if sentence == told and seconds - at < self._every:
                return False
        self._told = sentence, seconds
        return True

    def over(self) -> None:
        """Forget the trouble: should it come again, that is news."""
        self._told = None
