"""What the tests of sources share: a clock that stands, and polls until there is no more."""

from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.simulated.source import SimulatedSource


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def drained(source, now_ms=0):
    polls = []
    while not (polls and polls[-1].is_done):
        polls.append(source.poll(now_ms))
    return polls


def times_of(polls):
    return [time_ms for poll in polls for time_ms in poll.quotes.time_ms.tolist()]


def a_simulation(**settings):
    return SimulatedSource("XAUUSD", seed=7, **settings)


def everything(source, now_ms):
    parts = []
    while True:
        poll = source.poll(now_ms)
        if not len(poll.quotes):
            return Quotes.join(parts), poll
        parts.append(poll.quotes)
