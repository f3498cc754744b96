"""The pipeline is drained when nothing that came in is left to be done."""

from collections.abc import Iterator

import numpy as np
import pytest
from redis import Redis

from goldtrader.operations.drain import is_drained, stored_seq
from goldtrader.store import store
from reports_app.track_record.reporting import report
from signals_app.market.tick import Ticks
from signals_app.models import Decision, StreamPosition
from signals_app.pipeline import stream
from signals_app.services.strategies import add_version
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import DAY_MS, stored_trade
from trades_app.shadow import following

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty(redis_client: Redis) -> Iterator[None]:
    store.cache_clear()
    stream.connection.cache_clear()
    yield
    store.cache_clear()
    stream.connection.cache_clear()


def test_nothing_is_nothing_to_do() -> None:
    assert is_drained() == (True, "")


def test_ticks_behind_the_position_are_left(redis_client: Redis) -> None:
    ticks = Ticks(1, np.arange(1200), np.full(1200, 2.0), np.full(1200, 2.1))
    entry = {"f": 1, "n": 1200, "c": "mt5", "q": 1200, "d": ticks.pack()}
    redis_client.xadd("ticks:XAUUSD", entry, id="1200-0")
    assert is_drained() == (False, "XAUUSD: 1,200 ticks to use")

    StreamPosition.objects.create(instrument="XAUUSD", ordinal=1200, entry_id="1200-0")
    assert is_drained() == (True, "")


def test_a_close_with_its_entry_tick_is_left_and_one_without_waits_for_the_market() -> None:
    Decision.objects.create(instrument="XAUUSD", close_time_ms=2)
    assert is_drained() == (True, "")

    Decision.objects.create(instrument="XAUUSD", close_time_ms=1, entry_ordinal=7)
    Decision.objects.create(
        instrument="EURUSD", close_time_ms=1, entry_ordinal=7, outcome="OPENING"
    )
    assert is_drained() == (False, "2 closes to decide")


def test_closes_that_a_shadow_has_not_followed_are_left() -> None:
    strategy = following.begin(add_version({"threshold": 60}).pk)
    for close_ms in (1, 2):
        Decision.objects.create(instrument="XAUUSD", close_time_ms=close_ms, outcome="REFUSED")
    Decision.objects.create(instrument="XAUUSD", close_time_ms=3)
    assert is_drained() == (False, "2 closes to follow in shadow")

    assert not following.follow("XAUUSD")
    assert is_drained() == (True, "")

    Decision.objects.create(instrument="XAUUSD", close_time_ms=4, outcome="REFUSED")
    following.retire(strategy.pk)
    assert is_drained() == (True, "")


def test_tasks_on_their_way_are_left(redis_client: Redis) -> None:
    redis_client.lpush("analysis", "a task", "another")
    redis_client.lpush("delivery", "a sweep of the outbox")

    assert is_drained() == (False, "2 analysis tasks")


def test_a_day_that_is_over_is_left_until_it_is_sealed() -> None:
    stored_trade(SIGNAL, 2039.0)
    StreamPosition.objects.create(instrument="XAUUSD", time_ms=CLOSE_MS + DAY_MS)
    assert is_drained() == (False, "1 day to seal, figures to compute")

    report("XAUUSD")
    assert is_drained() == (True, "")


def test_what_redis_has_of_a_connector_is_nothing_once_it_was_emptied(redis_client: Redis) -> None:
    redis_client.hset("ticks:XAUUSD:state", mapping={"ordinal": 9, "seq:embedded": 12})
    assert stored_seq("XAUUSD", "embedded") == 12
    assert stored_seq("XAUUSD", "another") == 0

    redis_client.flushdb()
    assert stored_seq("XAUUSD", "embedded") == 0
