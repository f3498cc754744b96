"""Under which keys Redis holds a symbol's ticks: written by the gateway, read by the pipeline."""

from typing import Final

PREFIX: Final = "ticks:"


def stream_key(symbol: str) -> str:
    """The stream that holds the symbol's ticks."""
    return f"{PREFIX}{symbol}"


def state_key(symbol: str) -> str:
    """The hash that holds the state of the symbol's stream."""
    return f"{stream_key(symbol)}:state"
