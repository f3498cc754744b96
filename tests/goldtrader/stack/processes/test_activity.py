"""How long a start waits for processes that are at work, and for ones that stand still."""

import subprocess
import sys
import time

import pytest

from goldtrader.stack.processes import activity
from goldtrader.stack.processes.activity import Patience


@pytest.fixture
def process(request):
    running = subprocess.Popen([sys.executable, "-c", request.param])
    yield running
    running.kill()
    running.wait()


def _lasts(pid: int, seconds: float) -> bool:
    """Whether half a second of patience with the process lasts so long."""
    patience, deadline = Patience(0.5), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if patience.is_over([pid]):
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("process", ["while True: pass"], indirect=True)
def test_a_process_at_work_is_waited_for(process, monkeypatch):
    monkeypatch.setattr(activity, "_LOOK_EVERY_SECONDS", 0.2)
    assert _lasts(process.pid, 2.0)


@pytest.mark.parametrize("process", ["import time; time.sleep(60)"], indirect=True)
def test_one_that_stands_still_is_not(process, monkeypatch):
    monkeypatch.setattr(activity, "_LOOK_EVERY_SECONDS", 0.2)
    time.sleep(0.5)
    assert not _lasts(process.pid, 5.0)


def test_one_that_is_gone_is_not(monkeypatch):
    monkeypatch.setattr(activity, "_LOOK_EVERY_SECONDS", 0.2)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not _lasts(gone.pid, 5.0)
