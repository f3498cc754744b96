from types import SimpleNamespace

from mt5_bridge.sources.terminal.live_ticks import LiveTicks


class Quotes:
    """A terminal with the newest tick's time of each watched symbol."""

    def __init__(self, **newest):
        self.newest = newest

    def symbols_get(self):
        return [SimpleNamespace(name=name, select=True) for name in self.newest]

    def symbol_info_tick(self, symbol):
        at = self.newest.get(symbol)
        return None if at is None else SimpleNamespace(time_msc=at)


def test_a_tick_is_live_when_it_was_not_there_a_moment_ago():
    terminal = Quotes(XAUUSD=1000)
    live = LiveTicks(terminal, "XAUUSD")
    assert live.look(0) is None
    assert live.look(1) is None
    terminal.newest["XAUUSD"] = 1500
    assert live.look(2) == 1500
    terminal.newest["XAUUSD"] = 2500
    assert live.look(60) is None, "it may have come at any time of a minute"


def test_other_symbols_show_that_the_line_lives_while_this_one_is_silent():
    terminal = Quotes(XAUUSD=1000, EURUSD=1000)
    live = LiveTicks(terminal, "XAUUSD")
    live.look(0)
    live.market.saw_tick(1000, 0)
    for second in range(1, 10):
        live.look(second)
    assert live.market.silence(9) == 9
    terminal.newest["EURUSD"] = 2000
    live.look(10)
    assert live.market.silence(10) == 1, "not later than the look before"


def test_after_an_outage_nothing_counts_as_just_arrived():
    terminal = Quotes(XAUUSD=1000)
    live = LiveTicks(terminal, "XAUUSD")
    live.look(0)
    live.reset()
    terminal.newest["XAUUSD"] = 2000
    assert live.look(1) is None
