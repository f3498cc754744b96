import errno
import signal
import sys

import psutil
import pytest

from goldtrader.stack.processes import logs, register
from goldtrader.stack.processes import supervisor as supervisor_module
from goldtrader.stack.processes.process import Program
from goldtrader.stack.processes.supervisor import ChildExit, Supervisor
from tests.goldtrader.stack.commands import wait_until

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(log_directory=tmp_path, register_file=tmp_path / "children.json")
    yield made
    made.stop(made.names(), grace_seconds=2.0)


def _next_end(supervisor) -> ChildExit:
    found: list[ChildExit] = []
    wait_until(lambda: bool(found.extend(supervisor.check()) or found))
    (ended,) = found
    return ended


def test_a_child_that_ends_is_started_again_after_a_pause_that_doubles(supervisor, monkeypatch):
    monkeypatch.setattr(supervisor_module, "_FIRST_PAUSE_SECONDS", 0.1)
    supervisor.start(Program("faulty", (sys.executable, "-c", "raise SystemExit(1)")))
    first, second = _next_end(supervisor), _next_end(supervisor)
    assert first == ChildExit("faulty", 1, 1.0)
    assert second == ChildExit("faulty", 1, 2.0)


def test_a_killed_child_is_another_process_afterwards(supervisor, monkeypatch):
    supervisor.start(Program("sleeper", SLEEPER))
    before = supervisor.pid_of("sleeper")
    psutil.Process(before).kill()
    assert _next_end(supervisor) == ChildExit("sleeper", -signal.SIGKILL, 1.0)
    assert supervisor.pid_of("sleeper") is None
    wait_until(lambda: supervisor.check() == [] and supervisor.pid_of("sleeper") is not None)
    assert supervisor.pid_of("sleeper") != before


def test_a_final_exit_is_reported_once(supervisor):
    program = Program("feed", (sys.executable, "-c", "raise SystemExit(0)"))
    supervisor.start(program, final_exits=frozenset({0, 2}))
    assert _next_end(supervisor) == ChildExit("feed", 0, None)
    assert supervisor.check() == []


def test_a_child_that_has_ended_for_good_is_started_again_where_that_is_asked_for(supervisor):
    program = Program("feed", (sys.executable, "-c", "raise SystemExit(0)"))
    supervisor.start(program, final_exits=frozenset({0}))
    assert _next_end(supervisor) == ChildExit("feed", 0, None)
    supervisor.start_again("feed")
    assert _next_end(supervisor) == ChildExit("feed", 0, None)


def test_a_full_disk_is_said_and_what_runs_is_noted_once_there_is_room(supervisor, monkeypatch):
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(register, "write", write)
        supervisor.start(Program("sleeper", SLEEPER))
        assert supervisor.check() == []
        assert "children.json cannot be written (No space left" in supervisor.unwritten
    assert supervisor.check() == []
    assert supervisor.unwritten is None
    assert supervisor.pid_of("sleeper") is not None


def test_a_child_that_cannot_be_started_again_now_is_tried_later(supervisor, monkeypatch):
    monkeypatch.setattr(supervisor_module, "_FIRST_PAUSE_SECONDS", 0.1)
    supervisor.start(Program("sleeper", SLEEPER))
    psutil.Process(supervisor.pid_of("sleeper")).kill()
    _next_end(supervisor)

    def start(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Program, "start", start)
        wait_until(lambda: supervisor.check() == [] and supervisor.unwritten is not None)
    wait_until(lambda: supervisor.check() == [] and supervisor.pid_of("sleeper") is not None)
    wait_until(lambda: supervisor.check() == [] and supervisor.unwritten is None)


def test_logs_that_have_grown_are_rotated_while_their_processes_run(
    supervisor, tmp_path, monkeypatch
):
    monkeypatch.setattr(logs, "MOST_BYTES", 1_000)
    monkeypatch.setattr(supervisor_module, "_LOOK_AT_DISKS_SECONDS", 0.0)
    talker = "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.01)"
    supervisor.start(Program("talker", (sys.executable, "-c", talker)))
    oldest = tmp_path / "talker.log.3"
    wait_until(lambda: supervisor.check() == [] and oldest.exists())
    sizes = [path.stat().st_size for path in tmp_path.glob("talker.log*")]
    assert max(sizes) < 50_000
