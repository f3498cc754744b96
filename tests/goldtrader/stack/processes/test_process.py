import signal
import subprocess
import sys
import time

import psutil
import pytest

from goldtrader.stack.processes import process
from goldtrader.stack.processes.process import Program, Role
from tests.goldtrader.stack.conftest import ROOT, wait_until

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
STUBBORN = (sys.executable, "-c", f"{IGNORE}; print('ready', flush=True); time.sleep(60)")


def test_a_program_writes_to_its_log_and_ends_by_its_signal(tmp_path):
    log = tmp_path / "log"
    running = Program("talker", (sys.executable, "-c", "print('said')")).start(log)
    assert running.wait(10) == 0
    assert log.read_text() == "said\n"


def test_a_role_is_a_fork_whose_output_and_exit_code_are_its_own(tmp_path, capfd):
    def play() -> None:
        print("from the fork")  # noqa: T201
        sys.exit(3)

    running = Role("fork", play).start(tmp_path / "log")
    assert running.wait(10) == 3
    assert (tmp_path / "log").read_text() == "from the fork\n"
    assert capfd.readouterr().out == ""


def test_a_role_ends_by_signal_although_we_handle_it_ourselves(tmp_path):
    def complain(*_: object) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGTERM, complain)
    try:
        running = Role("sleeper", lambda: time.sleep(60)).start(tmp_path / "log")
        process.stop(running, grace_seconds=5.0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert running.poll() == -signal.SIGTERM


def test_what_does_not_end_in_its_grace_is_killed(tmp_path):
    log = tmp_path / "log"
    running = Program("stubborn", STUBBORN).start(log)
    wait_until(lambda: log.read_text() == "ready\n")
    process.stop(running, grace_seconds=0.2)
    assert running.poll() == -signal.SIGKILL


def test_the_children_of_a_child_end_with_it(tmp_path):
    log = tmp_path / "log"
    parent = (
        "import subprocess, sys, time;"
        f"print(subprocess.Popen({list(SLEEPER)!r}).pid, flush=True); time.sleep(60)"
    )
    running = Program("parent", (sys.executable, "-c", parent)).start(log)
    wait_until(lambda: log.read_text().endswith("\n"))
    process.stop(running)
    wait_until(lambda: not psutil.pid_exists(int(log.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
@pytest.mark.parametrize("kind", ["Program('child', SLEEPER)", "Role('child', nap)"])
def test_a_child_dies_with_a_killed_parent(tmp_path, kind):
    script = (
        "import time\n"
        "from pathlib import Path\n"
        "from goldtrader.stack.processes.process import Program, Role\n"
        f"SLEEPER = {SLEEPER!r}\n"
        "def nap(): time.sleep(60)\n"
        f"print({kind}.start(Path({str(tmp_path / 'log')!r})).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_logs_of_earlier_runs_are_kept_and_the_oldest_forgotten(tmp_path):
    log = tmp_path / "web.log"
    for run in range(5):
        process.rotate(log)
        log.write_text(f"run {run}")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "run 4",
        "web.log.1": "run 3",
        "web.log.2": "run 2",
        "web.log.3": "run 1",
    }
