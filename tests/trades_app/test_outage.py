"""A feed that was cut off for two hours, from the spool over gateway and stream to the trade."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from redis import Redis

from mt5_bridge.connector.client import Client, Settings
from mt5_bridge.connector.credentials import GivenToken
from mt5_bridge.connector.spool import Spool
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.sources.base import Poll
from signals_app.gateway.server import GatewayOptions
from signals_app.market import calendar
from signals_app.models import Decision
from signals_app.pipeline import stream
from signals_app.pipeline.candles import build_batch
from tests.certificates import make_certificate
from tests.signals_app.gateway.conftest import (
    KEYS,
    Harness,
    MemoryDatabase,
    client_tls,
    stored,
    token,
)
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import stored_trade
from trades_app.models import Message
from trades_app.notifications.kinds import text_of

pytestmark = pytest.mark.django_db

MINUTE_MS = 60_000
#: Nine ticks, the example's entry, and two quiet ones.
BEFORE = [(CLOSE_MS - 10_000 + 1000 * n, 2045.3, 2045.5) for n in range(9)]
BEFORE += [(CLOSE_MS + 400 + 1000 * n, 2045.3, 2045.5) for n in range(3)]
#: Through the stop a minute later, and far above the entry when the feed is back.
MEANWHILE = [(CLOSE_MS + MINUTE_MS, 2039.5, 2039.7), (CLOSE_MS + 2 * MINUTE_MS, 2041.0, 2041.2)]
MEANWHILE += [(CLOSE_MS + n * MINUTE_MS, 2050.0, 2050.2) for n in range(3, 121)]


class Terminal:
    """A source that goes on whether anybody listens or not."""

    symbol, description = "XAUUSD", "a terminal"
    is_simulated = is_live = False
    trouble = ""

    def __init__(self) -> None:
        self.given: list[tuple[int, float, float]] = []
        self.taken = 0

    def history(self, now_ms):
        return []

    def knows(self, bookmark):
        return True

    def start(self, bookmark, back, time_ms, now_ms):
        self.taken = int(bookmark or 0) - back if bookmark else 0

    def poll(self, now_ms):
        new = self.given[self.taken :]
        self.taken += len(new)
        return Poll(Quotes.of(new), str(self.taken), wait=0.01)

    def interrupt(self):
        pass

    def close(self):
        pass


async def until(true, within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - what is waited for is on a disk or in Redis
            await asyncio.sleep(0.02)


class Feed:
    """A connector that runs for the whole test, and a gateway that may be away."""

    def __init__(self, home: Path, redis_client: Redis) -> None:
        certificate, private_key = make_certificate(home)
        options = GatewayOptions(
            redis_url=os.environ["REDIS_URL"],
            certificate=certificate,
            private_key=private_key,
            keys=KEYS,
            port=0,
        )
        self.gateway = Harness(options, MemoryDatabase(), client_tls(certificate))
        self.terminal, self.spool = Terminal(), Spool(home / "spool")
        self.redis = redis_client

    async def begin(self, ticks: list[tuple[int, float, float]]) -> None:
        """Start both and deliver these ticks."""
        self.port = (await self.gateway.start()).port
        url = f"wss://localhost:{self.port}/ws/v1/ticks"
        settings = Settings(url, "mt5-primary", trust=self.gateway.trusted, first_pause=0.1)
        self.client = Client(settings, self.terminal, self.spool, GivenToken(token()))
        self.running = asyncio.create_task(self.client.run())
        self.terminal.given += ticks
        await self.arrive()

    async def lose(self, ticks: list[tuple[int, float, float]]) -> None:
        """Let these ticks come while the gateway is away: the spool keeps them."""
        await self.gateway.gateway.stop()
        self.terminal.given += ticks
        await until(lambda: self.spool.state("XAUUSD").last_seq == len(self.terminal.given))

    async def come_back(self) -> None:
        await self.gateway.start(port=self.port)
        await self.arrive()

    async def arrive(self) -> None:
        await until(lambda: len(stored(self.redis)) == len(self.terminal.given))

    async def end(self) -> None:
        self.client.stop()
        await self.running
        self.spool.close()
        await self.gateway.gateway.stop()


@pytest.fixture
def runner():
    stream.connection.cache_clear()
    with asyncio.Runner() as runner:
        yield runner
    stream.connection.cache_clear()


def test_a_stop_in_a_two_hour_outage_closes_at_its_tick_and_is_told_late(
    runner: asyncio.Runner, tmp_path: Path, redis_client: Redis
) -> None:
    feed = Feed(tmp_path, redis_client)
    runner.run(feed.begin(BEFORE))
    build_batch("XAUUSD")
    # The candle before the entry was stored when it closed: the feed kept up with the clock.
    live_at = calendar.utc(CLOSE_MS) + timedelta(seconds=1)
    assert Decision.objects.filter(close_time_ms=CLOSE_MS).update(created_at=live_at) == 1
    trade = stored_trade()

    runner.run(feed.lose(MEANWHILE))
    assert build_batch("XAUUSD") is None
    runner.run(feed.come_back())
    runner.run(feed.end())
    back_at = calendar.utc(CLOSE_MS + MINUTE_MS) + timedelta(hours=2, minutes=3)
    with time_machine.travel(back_at, tick=False):
        build_batch("XAUUSD")

    trade.refresh_from_db()
    assert (trade.exit_reason, float(trade.exit_price)) == ("SL_HIT", 2039.5)
    assert trade.exit_time == calendar.utc(CLOSE_MS + MINUTE_MS)
    assert trade.exit_ordinal == len(BEFORE) + 1
    events = trade.events.filter(ordinal=trade.exit_ordinal)
    assert list(events.values_list("kind", "found_late_seconds")) == [
        ("SL_HIT", 7380),
        ("CLOSED", 7380),
    ]
    (message,) = Message.objects.all()
    assert text_of(message).splitlines()[-1].startswith("⏳ Found 2 h 03 min late")
