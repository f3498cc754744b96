import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from goldtrader.stack.processes import process
from goldtrader.stack.processes.process import Program
from tests.goldtrader.stack.commands import wait_until
from tests.paths import ROOT

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
STUBBORN = (sys.executable, "-c", f"{IGNORE}; print('ready', flush=True); time.sleep(60)")


def test_a_program_writes_to_its_log_and_ends_by_its_signal(tmp_path):
    log = tmp_path / "log"
    running = Program("talker", (sys.executable, "-c", "print('said')")).start(log)
    assert running.wait(10) == 0
    assert log.read_text() == "said\n"


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
@pytest.mark.parametrize("kind", ["Program('child', SLEEPER)", "Fork('child', nap)"])
def test_a_child_dies_with_a_killed_parent(tmp_path, kind):
    script = (
        "import time\n"
        "from pathlib import Path\n"
        "from goldtrader.stack.processes.fork import Fork\n"
        "from goldtrader.stack.processes.process import Program\n"
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


def test_only_the_process_that_has_a_port_listens_on_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert process.listens(os.getpid(), port)
        assert not process.listens(os.getppid(), port)
    assert not process.listens(os.getpid(), port)
    assert not process.listens(None, port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to the stack")
def test_orphans_of_its_children_are_reaped_and_its_own_children_left_to_who_started_them():
    # In a process of its own: the one of the tests must not become the parent of strangers.
    script = (
        "import psutil, subprocess, sys, time\n"
        "from goldtrader.stack.processes import process\n"
        "from goldtrader.stack.processes.process import Program\n"
        "process.adopt_orphans()\n"
        "orphaning = 'import os; os.fork() or os.fork() or os._exit(0)'\n"
        "subprocess.run([sys.executable, '-c', orphaning])\n"
        "own = Program('own', (sys.executable, '-c', 'raise SystemExit(7)'))\n"
        "deadline = time.monotonic() + 10\n"
        "while psutil.Process().children() and time.monotonic() < deadline:\n"
        "    process.reap_orphans()\n"
        "    time.sleep(0.01)\n"
        "running = own.start(None)\n"
        "time.sleep(0.5)\n"
        "process.reap_orphans()\n"
        "print(len(psutil.Process().children()), running.wait())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("1 7\n", "")


def test_a_child_that_leads_no_group_yet_is_killed_all_the_same() -> None:
    running = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()

    process.stop(running, grace_seconds=0.5)

    assert running.returncode == -signal.SIGKILL
