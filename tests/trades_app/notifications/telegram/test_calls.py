"""All calls of a process share one client, and none takes longer than its deadline."""

import asyncio
import os
import time

import pytest
from pytest_django.fixtures import Settings

from trades_app.notifications.telegram import calls
from trades_app.notifications.telegram.outcomes import Unconfirmed

TOKEN = "123456:TOKEN"


async def itself(bot: object) -> object:
    return bot


async def never(bot: object) -> None:
    await asyncio.sleep(60)


def test_one_client_a_token_serves_all_calls() -> None:
    assert calls.run(TOKEN, itself) is calls.run(TOKEN, itself)
    assert calls.run("654321:OTHER", itself) is not calls.run(TOKEN, itself)


def test_an_answer_that_never_ends_is_given_up_at_the_deadline(settings: Settings) -> None:
    settings.TELEGRAM_TIMEOUT = 0.1
    started = time.monotonic()

    with pytest.raises(Unconfirmed, match=r"No answer within 0\.2 s"):
        calls.run(TOKEN, never)

    assert time.monotonic() - started < 2


def test_a_fork_makes_a_client_of_its_own() -> None:
    calls.run(TOKEN, itself)
    child = os.fork()
    if child == 0:
        works = calls.run(TOKEN, itself) is not None
        os._exit(0 if works else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
