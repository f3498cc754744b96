"""This machine's clock, for what a connection and its messages are dated by."""

import time


def wall_ms() -> int:
    """UTC now, in milliseconds of the Unix epoch."""
    return time.time_ns() // 1_000_000
