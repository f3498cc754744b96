"""A source on the MetaTrader 5 terminal of this Windows machine."""

from mt5_bridge.config import Config
from mt5_bridge.sources.base import Source, SourceError


def open_terminal(config: Config) -> Source:
    """Return the terminal's ticks of the configured symbol; raises `SourceError`."""
    raise SourceError(
        f"the terminal's {config.symbol} cannot be read here: MetaTrader 5 exists on Windows only"
    )
