"""Tasks beside the connections."""

import asyncio

import pytest

from signals_app.gateway.background import BackgroundTasks
from tests.signals_app.gateway.fakes import until


async def test_a_fault_does_not_end_a_repetition(caplog: pytest.LogCaptureFixture) -> None:
    tasks, calls = BackgroundTasks(), []

    async def work() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError("nobody foresaw this")

    tasks.repeat(work, 0.001)
    await until(lambda: len(calls) >= 3)
    await tasks.cancel_all()
    assert "it goes on" in caplog.text


async def test_a_task_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("nobody foresaw this")

    tasks = BackgroundTasks()
    tasks.start(fail())
    await until(lambda: "a background task of the gateway failed" in caplog.text)
    await tasks.cancel_all()


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again() -> None:
    cancellations = 0

    async def stubborn() -> None:
        nonlocal cancellations
        while cancellations < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancellations += 1

    tasks = BackgroundTasks()
    tasks.start(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.cancel_all(), 5)
    assert cancellations == 2
