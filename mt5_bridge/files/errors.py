"""Why a market-data file cannot be used."""


class MarketFileError(ValueError):
    """A file that cannot be used: one sentence that names the file, the line and what to do."""


def printable(text: str, width: int = 60) -> str:
    """The beginning of ``text`` in quotes, on one line and without control characters."""
    return ascii(text[:width]) if not text[:width].isprintable() else repr(text[:width])
