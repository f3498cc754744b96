"""Rates are counted for all processes, and by each alone while Redis is gone."""

import pytest
from pytest_django import Settings
from redis import Redis

from goldtrader.access import rates
from goldtrader.access.rates import Event, Rate, count, plain
from goldtrader.store import store

pytestmark = pytest.mark.usefixtures("redis_client")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20/s", Rate(20, 1)),
        ("6000/min", Rate(6000, 60)),
        ("60/hour", Rate(60, 3600)),
        ("1/d", Rate(1, 86_400)),
    ],
)
def test_a_rate_is_read_as_settings_write_it(text: str, rate: Rate) -> None:
    assert Rate.of(text) == rate


def test_the_slower_of_two_lets_less_through_in_the_long_run() -> None:
    assert Rate.of("2/s").slower(Rate.of("119/min")) == Rate(119, 60)


def test_events_are_counted_each_by_itself_and_taken_back() -> None:
    events = [Event("a", 3600), Event("b", 3600)]

    assert [each.times for each in count(events)] == [1, 1]
    assert [each.times for each in count(events[:1])] == [2]
    assert [each.times for each in count(events, -1)] == [1, 0]
    assert 0 < count(events)[0].wait <= 3600


def test_counts_end_with_their_window(redis_client: "Redis") -> None:
    count([Event("a", 60)])

    assert [redis_client.ttl(key) for key in redis_client.keys("rate:a:*")] == [61]


def test_without_redis_a_process_counts_alone(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.cache_clear()
    rates._memory.__init__()  # type: ignore[misc]

    assert [count([Event("a", 86_400)])[0].times for _ in range(3)] == [1, 2, 3]
    store.cache_clear()


def test_a_name_from_outside_is_short_and_harmless() -> None:
    assert plain("Root\n\0:" + "x" * 200) == "root__:" + "x" * 93
