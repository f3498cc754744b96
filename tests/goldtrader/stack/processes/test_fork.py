import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import process
from goldtrader.stack.processes.fork import Fork, run_to_end
from tests.goldtrader.stack.commands import wait_until

_kill_own_group_after = process.kill_own_group_after


def test_a_fork_has_its_own_output_and_exit_code(tmp_path, capfd):
    def work() -> None:
        print("from the fork")  # noqa: T201
        sys.exit(3)

    running = Fork("fork", work).start(tmp_path / "log")
    assert running.wait(10) == 3
    assert (tmp_path / "log").read_text() == "from the fork\n"
    assert capfd.readouterr().out == ""


def test_a_fork_ends_by_signal_although_we_handle_it_ourselves(tmp_path):
    def complain(*_: object) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGTERM, complain)
    try:
        running = Fork("sleeper", lambda: time.sleep(60)).start(tmp_path / "log")
        process.stop(running, grace_seconds=5.0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert running.poll() == -signal.SIGTERM


def test_a_fork_that_stands_back_does_so_in_its_group_of_processes_too(tmp_path):
    group = Path("/proc/self/autogroup")

    def work() -> None:
        print(os.nice(0), group.read_text() if group.exists() else "nice 5")  # noqa: T201

    Fork("reports", work, niceness=5).start(tmp_path / "log").wait(10)

    own, *_, of_group = (tmp_path / "log").read_text().split()
    assert int(own) == os.nice(0) + 5
    assert of_group == "5"


def test_work_that_fails_is_refused_with_the_end_of_its_log(tmp_path):
    log = tmp_path / "prepare.log"
    run_to_end("prepare", lambda: None, log=log)

    def fail() -> None:
        print("no such table")  # noqa: T201
        sys.exit(1)

    with pytest.raises(StackError, match=r"prepare failed; the log .*\nno such table"):
        run_to_end("prepare", fail, log=log)


def test_a_fork_that_does_not_heed_its_parents_death_is_killed_with_its_group(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(process, "kill_own_group_after", _kill_own_group_soon_after)
    pids = tmp_path / "pids"

    def stay() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = os.fork()
        if child:
            pids.with_suffix(".unfinished").write_text(f"{os.getpid()} {child}")
            pids.with_suffix(".unfinished").replace(pids)
        while True:
            time.sleep(60)

    def die_with_a_child() -> None:
        Fork("deaf", stay).start(None)
        wait_until(pids.exists)
        os.kill(os.getpid(), signal.SIGKILL)

    Fork("parent", die_with_a_child).start(tmp_path / "log").wait(20)
    deaf, child = (int(pid) for pid in pids.read_text().split())

    assert psutil.pid_exists(deaf)
    wait_until(lambda: not _runs(deaf) and not _runs(child))


def _kill_own_group_soon_after(parent: int) -> None:
    _kill_own_group_after(parent, grace_seconds=0.5)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
