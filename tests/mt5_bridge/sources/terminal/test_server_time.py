"""The server's time, from a terminal that shows a year of weeks and live ticks."""

import pytest

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.sources.terminal.connection import TerminalConnection
from mt5_bridge.sources.terminal.opening import TerminalAccount
from mt5_bridge.sources.terminal.server_time import ServerTime
from tests.mt5_bridge.polling import Clock
from tests.mt5_bridge.terminal import FakeTerminal, a_year_of_weeks

NOON = 1_704_456_000_000


@pytest.fixture
def terminal():
    fake = FakeTerminal(SERVER_EU)
    fake.put_rates(fake.TIMEFRAME_H1, a_year_of_weeks(NOON))
    return fake


@pytest.fixture
def server_time(terminal):
    connection = TerminalConnection(terminal, "XAUUSD", TerminalAccount(), Clock())
    assert connection.is_up()
    return ServerTime(terminal, "XAUUSD", connection, "auto")


def see_ticks(terminal, server_time, count=4):
    for place in range(count):
        now_ms = NOON + 1000 * place
        terminal.arrive([(now_ms, 2000.0, 2000.5)])
        server_time.look_at_live_ticks(now_ms, float(place))
    return now_ms


def test_weeks_and_live_ticks_show_the_clock(terminal, server_time):
    assert server_time.look_at_weeks("Broker-Demo", 0.0)
    assert not server_time.clock.is_witnessed
    last_ms = see_ticks(terminal, server_time)
    assert server_time.clock.is_witnessed
    assert server_time.clock.evidence.name == "server-eu"
    assert server_time.watermark_ms(4.0) < last_ms


def test_a_terminal_that_never_gave_candles_shows_no_weeks(terminal, server_time):
    terminal.gives_rates = False
    assert not server_time.look_at_weeks("Broker-Demo", 0.0)


def test_after_a_gap_nothing_is_live(terminal, server_time):
    server_time.look_at_weeks("Broker-Demo", 0.0)
    see_ticks(terminal, server_time)
    server_time.begin_gap()
    assert server_time.watermark_ms(5.0) is None
    # The first look shows a tick that may have come at any time.
    server_time.look_at_live_ticks(NOON + 5000, 5.0)
    assert server_time.watermark_ms(5.0) is None
