import asyncio

import pytest

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_tables import SpoolState
from mt5_bridge.protocol.quotes import Quotes


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path)
    yield opened
    opened.close()


def test_before_the_first_tick_there_is_none(spool):
    backlog = Backlog(spool, "XAUUSD")
    assert (backlog.size, backlog.lag_ms(), backlog.state) == (0, 0, SpoolState())


def test_it_is_what_is_not_acknowledged_and_the_market_time_in_it(spool):
    backlog = Backlog(spool, "XAUUSD")
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", Quotes.of([(100, 1, 2), (150, 1, 2), (400, 1, 2)]), "a")
    backlog.acknowledge(1)
    assert (backlog.size, backlog.lag_ms()) == (2, 250)


async def test_who_waits_looks_again_after_each_acknowledgement(spool):
    backlog = Backlog(spool, "XAUUSD")
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", Quotes.of([(1, 1, 2), (2, 1, 2)]), "a")
    waiting = asyncio.create_task(backlog.wait_for(lambda: backlog.size == 0))
    for seq in (1, 2):
        await asyncio.sleep(0)
        assert not waiting.done()
        backlog.acknowledge(seq)
    await asyncio.wait_for(waiting, 1)
