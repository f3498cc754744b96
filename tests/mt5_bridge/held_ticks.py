"""The ticks that a connector holds, as the protocol asks for them."""


class HeldTicks:
    """Numbered ticks in memory: times from ``first_seq`` on; None before numbering."""

    def __init__(self, times, first_seq=1):
        self.times = times
        self.first = first_seq

    def last_seq(self, symbol):
        return None if self.times is None else self.first + len(self.times) - 1

    def first_seq(self, symbol):
        return self.first

    def time_at(self, symbol, seq):
        held = self.times is not None and self.first <= seq < self.first + len(self.times)
        return self.times[seq - self.first] if held else None

    def seq_at(self, symbol, time_ms):
        return self.first - 1 + sum(time <= time_ms for time in self.times)
