"""One wake-up of a symbol waits, however many ask for it."""

from collections.abc import Iterator

import pytest
from redis import Redis

from signals_app.pipeline import stream, wakeups


@pytest.fixture(autouse=True)
def store(redis_client: Redis) -> Iterator[Redis]:
    stream.connection.cache_clear()
    yield redis_client
    stream.connection.cache_clear()


def test_a_symbols_wakeup_is_claimed_once_until_its_task_begins() -> None:
    assert wakeups.claim_wakeup("XAUUSD")
    assert not wakeups.claim_wakeup("XAUUSD")
    assert wakeups.claim_wakeup("EURUSD")

    wakeups.acknowledge_wakeup("XAUUSD")

    assert wakeups.claim_wakeup("XAUUSD")


def test_a_wakeup_whose_task_was_lost_is_given_back_by_time(store: Redis) -> None:
    wakeups.claim_wakeup("XAUUSD")

    assert 0 < store.ttl("wake:XAUUSD") <= wakeups.WAKE_EXPIRES
