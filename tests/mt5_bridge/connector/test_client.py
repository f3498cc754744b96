import asyncio
import ssl
import time

import numpy as np
import pytest

from mt5_bridge.connector import clocks, feeder, housekeeper
from mt5_bridge.connector.client import Client, Settings
from mt5_bridge.connector.credentials import (
    CredentialsError,
    GivenToken,
    TokenUnavailableError,
    trust_only,
)
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.connector.status import first_status, read_status
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import CandleRow, ErrorCode, History, Role
from mt5_bridge.sources.base import Notice, Poll
from mt5_bridge.sources.replay import ReplaySource
from tests.certificates import make_certificate
from tests.mt5_bridge.server import Server, running, until

NOON = 1_704_456_000_000
STARTING = first_status("test", "XAUUSD", "a test", "")


class Live:
    """A source that gives what a test puts into it, as a terminal would."""

    symbol = "XAUUSD"
    is_simulated = False
    is_live = True
    trouble = ""
    description = "a test"
    most_at_once = 200

    def __init__(self):
        self.given = []
        self.taken = 0
        self.notices = []
        self.starts = []
        self.candles = []
        self.watermark_ms = None
        self.has_history = False

    def tick(self, count=1):
        for _ in range(count):
            self.given.append((time.time_ns() // 1_000_000, 2000.0 + len(self.given) / 100))

    def history(self, now_ms):
        return [History(symbol="XAUUSD", timeframe="M15", rows=self.candles)]

    def knows(self, bookmark):
        return bookmark.isdigit()

    def start(self, bookmark, back, time_ms, now_ms):
        self.starts.append((bookmark, back, time_ms))
        self.has_history = True
        self.taken = int(bookmark) - back if bookmark else 0

    def poll(self, now_ms):
        if self.has_history:
            self.has_history = False
            return Poll(Quotes.empty(), str(self.taken), has_history=True)
        new = self.given[self.taken : self.taken + self.most_at_once]
        rows = [(at, bid, bid + 0.5) for at, bid in new]
        self.taken += len(rows)
        notices, self.notices = tuple(self.notices), []
        return Poll(
            Quotes.of(rows), str(self.taken), wait=0.01, notices=notices,
            watermark_ms=self.watermark_ms,
        )  # fmt: skip

    def interrupt(self):
        pass

    def close(self):
        pass

    @property
    def rows(self):
        return [(at, bid, round(bid + 0.5, 5)) for at, bid in self.given]


class Tokens:
    """Gives one token after the other; a None is an outage."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.fetched = 0

    async def fetch(self):
        token = self.tokens[min(self.fetched, len(self.tokens) - 1)]
        self.fetched += 1
        if token is None:
            raise TokenUnavailableError("no answer")
        return token


@pytest.fixture
def folder(tmp_path):
    make_certificate(tmp_path)
    return tmp_path


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path / "spool")
    yield opened
    opened.close()


def tick_file(folder, count, step_ms=100):
    times = NOON + np.arange(count) * step_ms
    bids = 2000 + np.arange(count) % 1000 / 100
    path = folder / "XAUUSD_ticks.csv"
    rows = [f"{at},{bid:.2f},{bid + 0.3:.2f}" for at, bid in zip(times, bids, strict=True)]
    path.write_text("timestamp_ms,bid,ask\n" + "\n".join(rows) + "\n")
    return path, [
        (int(at), round(b, 2), round(b + 0.3, 2)) for at, b in zip(times, bids, strict=True)
    ]


def a_client(server, folder, source, spool, *, tokens=None, exit_when_done=False):
    settings = Settings(
        url=server.url,
        name="test",
        exit_when_done=exit_when_done,
        trust=trust_only(folder / "cert.pem"),
        status_directory=folder,
        first_pause=0.05,
    )
    return Client(settings, source, spool, tokens or GivenToken("good"))


class Running:
    """A client that runs while the block does."""

    def __init__(self, client):
        self.client = client

    async def __aenter__(self):
        self.task = asyncio.create_task(self.client.run())
        return self.client

    async def __aexit__(self, *error):
        self.client.stop()
        await asyncio.wait_for(self.task, 10)


async def test_a_replay_arrives_whole_and_ends(folder, spool):
    path, rows = tick_file(folder, 25_000)
    async with running(Server(), folder) as server:
        client = a_client(server, folder, ReplaySource(path, "XAUUSD"), spool, exit_when_done=True)
        await asyncio.wait_for(client.run(), 20)
    assert server.ticks == rows
    assert server.repeated == 0
    assert client.summary().startswith(
        "XAUUSD: 25,000 ticks read, 0 refused, 25,000 sent, 25,000 acknowledged, 0 waiting, in "
    )
    status = read_status(folder)
    assert (status.acknowledged, status.spool_depth, status.is_ended) == (25_000, 0, True)


async def test_a_line_that_breaks_all_the_time_loses_and_doubles_nothing(folder, spool):
    path, rows = tick_file(folder, 60_000)
    async with running(Server(cut_every=9), folder) as server:
        client = a_client(server, folder, ReplaySource(path, "XAUUSD"), spool, exit_when_done=True)
        await asyncio.wait_for(client.run(), 30)
    assert server.ticks == rows
    assert server.connections > 5


async def test_a_replay_that_was_stopped_continues_where_it_was(folder):
    path, rows = tick_file(folder, 40_000)
    async with running(Server(), folder) as server:
        for count in (5_000, 20_000):
            spool = Spool(folder / "spool")
            source = ReplaySource(path, "XAUUSD", speed=100_000)
            async with Running(a_client(server, folder, source, spool)):
                await until(lambda count=count: len(server.ticks) > count)
            spool.close()
        spool = Spool(folder / "spool")
        source = ReplaySource(path, "XAUUSD")
        client = a_client(server, folder, source, spool, exit_when_done=True)
        await asyncio.wait_for(client.run(), 20)
        spool.close()
    assert server.ticks == rows


async def test_a_new_spool_sends_nothing_that_the_server_has(folder):
    path, rows = tick_file(folder, 3_000)
    async with running(Server(), folder) as server:
        for place in ("one", "two"):
            spool = Spool(folder / place)
            source = ReplaySource(path, "XAUUSD")
            client = a_client(server, folder, source, spool, exit_when_done=True)
            await asyncio.wait_for(client.run(), 20)
            spool.close()
    assert server.ticks == rows
    # The last millisecond is sent again, for the server to recognise.
    assert client.summary().startswith("XAUUSD: 1 ticks read")


async def test_a_server_that_lost_everything_gets_everything_again(folder, spool):
    path, rows = tick_file(folder, 30_000)
    async with running(Server(), folder) as server:
        source = ReplaySource(path, "XAUUSD", speed=500_000)
        async with Running(a_client(server, folder, source, spool)):
            await until(lambda: len(server.ticks) > 10_000)
            server.forget(keep=4_321)
            await server.cut()
            await until(lambda: len(server.ticks) == len(rows))
    assert server.ticks == rows


async def test_what_the_spool_no_longer_holds_is_read_from_the_file_again(folder):
    path, rows = tick_file(folder, 60_000)
    spool = Spool(folder / "spool", maximum_bytes=600_000)
    async with running(Server(), folder) as server:
        source = ReplaySource(path, "XAUUSD", speed=400_000)
        async with Running(a_client(server, folder, source, spool)) as client:
            await until(lambda: len(server.ticks) == len(rows))
            assert spool.first_seq("XAUUSD") > 30_000
            server.forget(keep=99)
            await server.cut()
            await until(lambda: len(server.ticks) == len(rows))
            await until(lambda: "60,000 acknowledged, 0 waiting" in client.summary())
    spool.close()
    assert server.ticks == rows


async def test_live_ticks_arrive_at_once_and_history_before_them(folder, spool):
    source = Live()
    source.candles = [CandleRow(NOON, 1, 2, 0.5, 1.5, 7)]
    async with (
        running(Server(), folder) as server,
        Running(a_client(server, folder, source, spool)),
    ):
        await until(lambda: server.history)
        assert server.ticks == []
        source.tick(3)
        await until(lambda: len(server.ticks) == 3)
        assert server.ticks == source.rows
        assert server.history == {"M15": source.candles}
        assert source.starts == [(None, 0, None)]


async def test_no_live_tick_is_lost_to_a_machine_whose_clock_is_late(folder, spool, monkeypatch):
    """Five minutes slow, and no server yet that would say so: the spool is read into at once."""
    monkeypatch.setattr(clocks, "wall_ms", lambda: time.time_ns() // 1_000_000 - 300_000)
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", Quotes.of([(NOON, 2000.0, 2000.5)]), "0")
    source, server = Live(), Server()
    async with running(server, folder):
        port = server.port
    async with Running(a_client(server, folder, source, spool)):
        source.tick(16)
        await until(lambda: spool.last_seq("XAUUSD") == 17)
        async with running(server, folder, port):
            await until(lambda: len(server.ticks) == 17)
            assert server.ticks[1:] == source.rows


class SlowToContinue(Live):
    """A source that takes longer to find its place than the server takes to answer."""

    def start(self, bookmark, back, time_ms, now_ms):
        time.sleep(0.5)
        super().start(bookmark, back, time_ms, now_ms)


async def test_a_source_continues_behind_its_bookmark_however_quick_the_server_is(folder, spool):
    """Begun behind a time instead, it would leave out ticks of the bookmark's millisecond."""
    source, server = SlowToContinue(), Server()
    source.tick(2)
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", Quotes.of(source.rows[:1]), "1")
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: len(server.ticks) == 2)
        await asyncio.sleep(0.6)
    assert source.starts == [("1", 0, None)]
    assert server.ticks == source.rows


async def test_ticks_of_an_outage_are_sent_afterwards(folder, spool):
    source, server = Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        source.tick(5)
        await until(lambda: len(server.ticks) == 5)
        port = server.port
        await server.cut()
        server.acknowledges = False
        source.tick(5)
        await until(lambda: len(server.ticks) == 10)
        assert spool.state("XAUUSD").acknowledged_seq == 5
        await server.cut()
        server.acknowledges = True
        source.tick(5)
        await until(lambda: spool.state("XAUUSD").acknowledged_seq == 15)
        assert server.port == port
    assert server.ticks == source.rows


async def test_a_standby_keeps_its_ticks_until_it_is_promoted(folder, spool):
    source, server = Live(), Server(role=Role.STANDBY)
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: source.starts)
        source.tick(4)
        await until(lambda: spool.last_seq("XAUUSD") == 4)
        await until(lambda: len(server.heartbeats) > 1)
        assert server.ticks == []
        # The other connector stored up to the second one's time.
        server.ticks.append((source.given[1][0], 1.0, 2.0))
        await server.promote()
        last = source.given[1][0]
        await until(lambda: len(server.ticks) == 1 + sum(at > last for at, _ in source.given))
        source.tick(1)
        await until(lambda: server.ticks[-1] == source.rows[-1])


async def test_a_standby_that_is_behind_the_active_one_keeps_what_it_has_not_read_yet(
    folder, spool
):
    """Only its spool has these ticks should the server forget what it has."""
    source, server = Live(), Server(role=Role.STANDBY)
    now_ms = time.time_ns() // 1_000_000
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", Quotes.of([(now_ms - 900_000, 2000.0, 2000.5)]), "0")
    server.ticks.append((now_ms, 1.0, 2.0))
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: server.heartbeats)
        source.given = [(now_ms - age_ms, 2000.0) for age_ms in (800_000, 30_000, 20_000)]
        await until(lambda: spool.last_seq("XAUUSD") == 4)
    kept = [row for batch in spool.read("XAUUSD", 1, 4) for row in batch.quotes.rows()]
    assert [row[:3] for row in kept] == source.rows


async def test_heartbeats_carry_the_sources_watermark(folder, spool):
    source, server = Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        source.tick(1)
        await until(lambda: len(server.ticks) == 1)
        source.watermark_ms = server.ticks[0][0] + 5
        await until(
            lambda: {"XAUUSD": source.watermark_ms} in [h.watermark for h in server.heartbeats]
        )


async def test_what_goes_wrong_at_the_terminal_is_reported(folder, spool):
    source, server = Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        source.notices = [Notice(ErrorCode.MT5_DISCONNECTED, "gone")]
        await until(lambda: server.errors)
        assert [(error.code, error.message) for error in server.errors] == [
            ("MT5_DISCONNECTED", "gone")
        ]


async def test_what_went_wrong_while_the_line_was_down_is_reported_afterwards(folder, spool):
    source, server = Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: source.starts)
        await server.cut()
        source.notices = [Notice(ErrorCode.MT5_DISCONNECTED, "gone")]
        await until(lambda: not source.notices)
        await until(lambda: server.errors)
        assert {(error.code, error.message) for error in server.errors} == {
            ("MT5_DISCONNECTED", "gone")
        }


async def test_ticks_do_not_wait_for_a_token_that_does_not_come(folder, spool):
    class Slow(Tokens):
        async def fetch(self):
            if self.fetched:
                self.fetched += 1
                await asyncio.sleep(60)
            return await super().fetch()

    source, server, tokens = Live(), Server(lifetime=1.0), Slow("good")
    async with (
        running(server, folder),
        Running(a_client(server, folder, source, spool, tokens=tokens)),
    ):
        await until(lambda: tokens.fetched > 1)
        source.tick(1)
        await until(lambda: len(server.ticks) == 1, seconds=1)


async def test_an_error_that_is_over_is_no_longer_shown(folder, spool, caplog):
    source, server = Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        for cuts in range(3):

            def is_reported(cuts=cuts):
                status = read_status(folder) or STARTING
                return (status.line, status.reconnects) == ("connected", cuts)

            await until(is_reported)
            assert read_status(folder).last_error == ""
            await server.cut()
        await until(lambda: server.connections == 4)
    assert caplog.text.count("the line to wss://127.0.0.1") == 3


async def test_a_token_is_renewed_on_the_open_connection(folder, spool):
    server, tokens = Server(lifetime=2.0), Tokens("good")
    async with (
        running(server, folder),
        Running(a_client(server, folder, Live(), spool, tokens=tokens)),
    ):
        await until(lambda: len(server.auths) >= 3)
        assert server.connections == 1
        assert tokens.fetched >= 3


async def test_a_refused_token_is_replaced(folder, spool):
    source, tokens = Live(), Tokens("stale", None, "good")
    server = Server()
    async with (
        running(server, folder),
        Running(a_client(server, folder, source, spool, tokens=tokens)),
    ):
        source.tick(1)
        await until(lambda: len(server.ticks) == 1)
        assert [auth.token for auth in server.auths] == ["stale", "good"]


async def test_a_refused_token_ends_a_replay_that_is_to_end(folder, spool):
    path, _ = tick_file(folder, 10)
    async with running(Server(), folder) as server:
        client = a_client(
            server, folder, ReplaySource(path, "XAUUSD"), spool,
            tokens=GivenToken("wrong"), exit_when_done=True,
        )  # fmt: skip
        with pytest.raises(CredentialsError, match="AUTH_FAILED: bad token"):
            await asyncio.wait_for(client.run(), 10)
    assert server.ticks == []


async def test_a_certificate_that_was_not_given_is_not_trusted(folder, spool, tmp_path_factory):
    path, _ = tick_file(folder, 10)
    other, _ = make_certificate(tmp_path_factory.mktemp("other"))
    async with running(Server(), folder) as server:
        settings = Settings(
            url=server.url, name="test", exit_when_done=True, trust=trust_only(other)
        )
        client = Client(settings, ReplaySource(path, "XAUUSD"), spool, GivenToken("good"))
        with pytest.raises(CredentialsError, match="is not trusted"):
            await asyncio.wait_for(client.run(), 10)
    assert server.auths == []


async def test_a_full_spool_says_so_and_catches_up_when_there_is_room(folder, monkeypatch, caplog):
    monkeypatch.setattr(housekeeper, "_MAINTENANCE_INTERVAL", 0.1)
    spool = Spool(folder / "spool", maximum_bytes=6000)
    source, server = Live(), Server(acknowledges=False)
    source.most_at_once = 20
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: source.starts)
        for _ in range(30):
            source.tick(10)
            await asyncio.sleep(0.02)
        await until(lambda: spool.state("XAUUSD").dropped > 0)
        server.acknowledges = True
        await server.cut()
        await until(lambda: len(server.ticks) == 300)
    assert server.ticks == source.rows
    assert "the spool is full" in caplog.text
    spool.close()


async def test_a_full_spool_counts_and_tells_until_it_has_room(folder, monkeypatch, caplog):
    monkeypatch.setattr(housekeeper, "_MAINTENANCE_INTERVAL", 0.1)
    monkeypatch.setattr(feeder, "_LOG_AGAIN", 0.5)
    spool = Spool(folder / "spool", maximum_bytes=60_000)
    source, server = Live(), Server(acknowledges=False)
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: source.starts)
        for _ in range(80):
            source.tick(50)
            await asyncio.sleep(0.005)
        await until(lambda: spool.last_seq("XAUUSD") + spool.state("XAUUSD").dropped == 4000)
        await until(lambda: read_status(folder).spool_trouble == "FULL")
        await until(lambda: caplog.text.count("ticks have found no room so far") >= 2)
        server.acknowledges = True
        await server.cut()
        await until(lambda: len(server.ticks) == 4000)
        await until(lambda: read_status(folder).spool_trouble == "")
    assert server.ticks == source.rows
    spool.close()


class FailingSpool(Spool):
    """A spool whose disk fails on demand."""

    is_failing = False

    def append(self, symbol, quotes, bookmark):
        self.check()
        return super().append(symbol, quotes, bookmark)

    def maintain(self, now_ms):
        self.check()
        super().maintain(now_ms)

    def check(self):
        if self.is_failing:
            raise SpoolError("the spool cannot be written: disk I/O error; free its disk")


@pytest.mark.parametrize("before", [0, 5])
async def test_a_disk_that_fails_for_a_while_stops_nothing(folder, monkeypatch, caplog, before):
    monkeypatch.setattr(housekeeper, "_MAINTENANCE_INTERVAL", 0.1)
    spool, source, server = FailingSpool(folder / "spool"), Live(), Server()
    async with running(server, folder), Running(a_client(server, folder, source, spool)):
        await until(lambda: source.starts)
        source.tick(before)
        await until(lambda: len(server.ticks) == before)
        spool.is_failing = True
        source.tick(20)
        await until(lambda: (read_status(folder) or STARTING).spool_trouble == "NOT WRITABLE")
        spool.is_failing = False
        source.tick(20)
        await until(lambda: len(server.ticks) == before + 40)
    assert server.ticks == source.rows
    assert "disk I/O error" in caplog.text
    # Before the first tick was kept, it begins where it had begun: not with the world's first.
    assert source.starts[0] == (None, 0, None)
    assert source.starts[1][0] == (str(before) if before else None)
    assert (source.starts[1][2] is None) is (before == 0)
    spool.close()


async def test_a_disk_that_fails_ends_a_replay_that_is_to_end(folder):
    path, _ = tick_file(folder, 10)
    spool = FailingSpool(folder / "spool")
    spool.is_failing = True
    async with running(Server(), folder) as server:
        source = ReplaySource(path, "XAUUSD")
        client = a_client(server, folder, source, spool, exit_when_done=True)
        with pytest.raises(SpoolError, match="disk I/O error"):
            await asyncio.wait_for(client.run(), 10)
    spool.is_failing = False
    spool.close()


def test_only_the_given_certificates_are_trusted(folder):
    context = trust_only(folder / "cert.pem")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) + context.cert_store_stats()["x509"] >= 1
    with pytest.raises(CredentialsError, match="check --cafile"):
        trust_only(folder / "none.pem")
    (folder / "empty.pem").write_text("nothing")
    with pytest.raises(CredentialsError, match="it holds no certificate"):
        trust_only(folder / "empty.pem")
