"""The pipeline is woken at once, or now and then."""

import asyncio

import pytest

from signals_app.gateway import wakers
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.background import BackgroundTasks
from signals_app.gateway.wakers import PipelineWakers
from tests.signals_app.gateway.fakes import until


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakers, "_WAKE_PAUSE", 0.0)
    monkeypatch.setattr(wakers, "_RETRY_PAUSE", 0.01)


async def test_the_first_call_wakes_and_calls_meanwhile_wait_for_the_next_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wakers, "_WATCH_PAUSE", 60.0)
    woken: list[str] = []
    tasks = BackgroundTasks()
    pipelines = PipelineWakers(woken.append, tasks)
    pipelines.wake("XAUUSD", at_once=False)
    await until(lambda: woken == ["XAUUSD"])
    for _ in range(5):
        pipelines.wake("XAUUSD", at_once=False)
    pipelines.wake("EURUSD", at_once=False)
    await until(lambda: woken == ["XAUUSD", "EURUSD"])
    pipelines.wake("XAUUSD", at_once=True)
    await until(lambda: woken == ["XAUUSD", "EURUSD", "XAUUSD"])
    await tasks.cancel_all()


async def test_settling_does_at_once_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakers, "_WATCH_PAUSE", 60.0)
    woken: list[str] = []
    pipelines = PipelineWakers(woken.append, BackgroundTasks())
    pipelines.wake("XAUUSD", at_once=False)
    await until(lambda: woken)
    pipelines.wake("XAUUSD", at_once=False)
    async with asyncio.timeout(10):
        await pipelines.settled()
    assert woken == ["XAUUSD", "XAUUSD"]


@pytest.mark.parametrize("fault", [DatabaseUnavailable("away"), RuntimeError("unforeseen")])
async def test_a_wake_up_that_fails_is_repeated(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(wakers, "_WATCH_PAUSE", 0.0)
    attempts: list[str] = []

    def wake(symbol: str) -> None:
        attempts.append(symbol)
        if len(attempts) == 1:
            raise fault

    pipelines = PipelineWakers(wake, BackgroundTasks())
    pipelines.wake("XAUUSD", at_once=True)
    await pipelines.settled()
    assert attempts == ["XAUUSD", "XAUUSD"]
