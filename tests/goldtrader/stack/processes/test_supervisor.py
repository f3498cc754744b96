import json
import signal
import sys

import psutil
import pytest

from goldtrader.stack.processes import supervisor as supervisor_module
from goldtrader.stack.processes.process import Program
from goldtrader.stack.processes.supervisor import Ended, Supervisor, end_left_overs
from tests.goldtrader.stack.conftest import wait_until

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(logs=tmp_path, register=tmp_path / "children.json")
    yield made
    made.stop(made.names(), grace_seconds=2.0)


def _next_end(supervisor) -> Ended:
    found: list[Ended] = []
    wait_until(lambda: bool(found.extend(supervisor.check()) or found))
    (ended,) = found
    return ended


def test_who_ends_is_started_again_after_a_pause_that_doubles(supervisor, monkeypatch):
    monkeypatch.setattr(supervisor_module, "_FIRST_PAUSE_SECONDS", 0.1)
    supervisor.start(Program("faulty", (sys.executable, "-c", "raise SystemExit(1)")))
    first, second = _next_end(supervisor), _next_end(supervisor)
    assert first == Ended("faulty", 1, 1.0)
    assert second == Ended("faulty", 1, 2.0)


def test_a_killed_child_is_another_process_afterwards(supervisor, monkeypatch):
    supervisor.start(Program("sleeper", SLEEPER))
    before = supervisor.pid_of("sleeper")
    psutil.Process(before).kill()
    assert _next_end(supervisor) == Ended("sleeper", -signal.SIGKILL, 1.0)
    assert supervisor.pid_of("sleeper") is None
    wait_until(lambda: supervisor.check() == [] and supervisor.pid_of("sleeper") is not None)
    assert supervisor.pid_of("sleeper") != before


def test_an_end_that_is_final_is_told_once(supervisor):
    program = Program("feed", (sys.executable, "-c", "raise SystemExit(0)"))
    supervisor.start(program, final_exits=frozenset({0, 2}))
    assert _next_end(supervisor) == Ended("feed", 0, None)
    assert supervisor.check() == []


def test_what_a_killed_stack_left_behind_is_ended(tmp_path):
    register = tmp_path / "children.json"
    killed = Supervisor(logs=tmp_path, register=register)
    killed.start(Program("sleeper", SLEEPER))
    pid = killed.pid_of("sleeper")
    assert end_left_overs(register, grace_seconds=5.0) == ("sleeper",)
    assert killed.pid_of("sleeper") is None
    assert not psutil.pid_exists(pid)
    assert not register.exists()


def test_a_process_that_only_has_the_number_of_a_child_is_left_alone(tmp_path):
    register = tmp_path / "children.json"
    other = Supervisor(logs=tmp_path, register=tmp_path / "other.json")
    other.start(Program("stranger", SLEEPER))
    pid = other.pid_of("stranger")
    register.write_text(json.dumps([{"name": "web", "pid": pid, "born": 1.0}]))
    assert end_left_overs(register) == ()
    assert other.pid_of("stranger") == pid
    other.stop(["stranger"], grace_seconds=2.0)
