import pytest

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.credentials import CredentialsError, TokenUnavailableError
from mt5_bridge.connector.event_handler import EventHandler
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.status import first_status
from mt5_bridge.protocol import link_events as events
from mt5_bridge.protocol.gateway_clock import ClockReading
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.quotes import Quotes

GOLD = "XAUUSD"


class Reader:
    """Notes how the source was started."""

    def __init__(self, spool):
        self.spool = spool
        self.is_started = False
        self.starts = []

    async def start(self, bookmark, back, time_ms, *, number_after=None):
        self.starts.append((bookmark, back, time_ms, number_after))
        self.is_started = True
        if number_after is not None:
            self.spool.begin(GOLD, number_after)


class Parts:
    def __init__(self, folder):
        self.spool = Spool(folder)
        self.reader = Reader(self.spool)
        self.backlog = Backlog(self.spool, GOLD)
        self.progress = Progress(first_status("test", GOLD, "a test", "wss://there"), None)
        self.link = Link(self.spool, Login((GOLD,), "token"))
        self.link.connected(ClockReading(0, 0))
        self.handler = EventHandler(
            self.link, self.spool, self.reader, self.backlog, self.progress, Backoff(1, 30)
        )

    def hold(self, count):
        self.spool.begin(GOLD, 0)
        rows = [(10 * seq, 1.0, 2.0) for seq in range(1, count + 1)]
        self.spool.append(GOLD, Quotes.of(rows), "mark")


@pytest.fixture
def parts(tmp_path):
    made = Parts(tmp_path)
    yield made
    made.spool.close()


async def test_a_new_spool_begins_to_number_where_the_server_says(parts):
    await parts.handler.handle(events.NumberingNeeded(GOLD, 77, 5))
    # From the server's last millisecond on: it knows what it has of that.
    assert parts.reader.starts == [(None, 0, 4, 77)]
    assert parts.spool.last_seq(GOLD) == 77
    assert parts.link.deliveries[GOLD].sent_seq == 77


async def test_an_old_spool_gives_what_is_not_acknowledged_new_numbers(parts):
    parts.hold(3)
    parts.reader.is_started = True
    await parts.handler.handle(events.SpoolBehind(GOLD, 50, 5))
    assert (parts.spool.first_seq(GOLD), parts.spool.last_seq(GOLD)) == (51, 53)


async def test_ticks_that_are_no_longer_held_are_read_from_the_source_again(parts):
    parts.hold(5)
    await parts.handler.handle(events.ReplayNeeded(GOLD, 2, 20))
    assert parts.reader.starts == [("mark", 3, 20, 2)]


async def test_a_source_without_bookmark_begins_behind_the_newest_tick_of_all(parts):
    parts.hold(3)
    await parts.handler.handle(events.Resumed(GOLD, 1, 20))
    assert parts.reader.starts == [(None, 0, 30, None)]
    assert parts.backlog.state.acknowledged_seq == 1


async def test_a_final_error_gives_the_token_up(parts):
    with pytest.raises(CredentialsError, match="AUTH_FAILED: revoked; check the token"):
        await parts.handler.handle(events.ServerError("AUTH_FAILED", "revoked", is_final=True))
    assert parts.link.login.token == ""
    with pytest.raises(TokenUnavailableError, match="TOKEN_EXPIRED"):
        await parts.handler.handle(events.ServerError("TOKEN_EXPIRED", "over", is_final=True))


async def test_an_error_that_is_not_final_is_only_logged(parts, caplog):
    await parts.handler.handle(events.ServerError("BAD_TICK", "crossed 1", is_final=False))
    assert "the server says BAD_TICK: crossed 1" in caplog.text
    assert parts.link.login.token == "token"


async def test_a_name_that_is_in_use_keeps_the_token_and_waits(parts):
    with pytest.raises(CredentialsError, match="NAME_IN_USE: mt5 is connected with another spool"):
        await parts.handler.handle(
            events.ServerError("NAME_IN_USE", "mt5 is connected with another spool", is_final=True)
        )
    assert parts.link.login.token == "token"
