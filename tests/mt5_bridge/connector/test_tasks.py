import asyncio

import pytest

from mt5_bridge.connector.tasks import until_first_ends


async def test_the_others_are_cancelled_when_the_first_ends():
    ended = []

    async def forever():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    await until_first_ends(forever(), asyncio.sleep(0), forever())
    assert ended == ["cancelled"] * 2


async def test_an_error_of_the_first_is_raised():
    async def fail():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await until_first_ends(asyncio.sleep(60), fail())
