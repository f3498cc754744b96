"""This machine's clocks."""

import time

from mt5_bridge.protocol.gateway_clock import ClockReading


def read_clocks() -> ClockReading:
    return ClockReading(time.monotonic(), wall_ms())


def wall_ms() -> int:
    return time.time_ns() // 1_000_000
