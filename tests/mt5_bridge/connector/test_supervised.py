import asyncio
import multiprocessing
import threading

import pytest

from mt5_bridge.connector import supervised
from mt5_bridge.connector.supervised import beat, end_with


@pytest.fixture
def pipe():
    ours, theirs = multiprocessing.Pipe()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_it_ends_with_its_supervisor(pipe):
    ours, theirs = pipe
    ended = threading.Event()
    end_with(theirs, ended.set)
    assert not ended.wait(0.1)
    ours.close()
    assert ended.wait(5)


async def test_signs_of_life_go_on_also_when_nobody_reads_any_more(pipe, monkeypatch):
    monkeypatch.setattr(supervised, "BEAT_EVERY", 0.01)
    ours, theirs = pipe
    task = asyncio.create_task(beat(theirs))
    await asyncio.sleep(0.1)
    assert ours.poll()
    ours.close()
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()
