"""Waiting for a store that does not answer."""

import pytest
from redis.exceptions import RedisError

from signals_app.gateway import availability
from signals_app.gateway.availability import (
    DatabaseUnavailable,
    StreamUnavailable,
    redis_answers,
    until_available,
)


async def test_an_attempt_is_repeated_until_both_stores_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(availability.asyncio, "sleep", sleep)
    faults = [StreamUnavailable("away"), DatabaseUnavailable("away"), *[StreamUnavailable("")] * 5]

    async def attempt() -> int:
        if faults:
            raise faults.pop()
        return 7

    assert await until_available(attempt) == 7
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert len(caplog.records) == 1


async def test_any_other_fault_is_raised() -> None:
    async def attempt() -> None:
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError):
        await until_available(attempt)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (RedisError("READONLY replica"), "READONLY replica"),
        (ConnectionRefusedError(), "ConnectionRefusedError"),
    ],
)
def test_what_redis_raises_says_that_the_stream_is_away(fault: Exception, sentence: str) -> None:
    with pytest.raises(StreamUnavailable, match=sentence), redis_answers():
        raise fault


def test_a_mistake_of_ours_is_not_taken_for_an_absence_of_redis() -> None:
    with pytest.raises(KeyError), redis_answers():
        raise KeyError("symbol")
