import json
import os
import signal
import subprocess
import sys

import psutil

from goldtrader.stack.processes.process import Program
from goldtrader.stack.processes.register import end_left_overs
from goldtrader.stack.processes.supervisor import Supervisor
from tests.goldtrader.stack.commands import wait_until

#: Forks once, and neither of the two ends when it is asked.
STUBBORN_PAIR = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.fork(), flush=True)
time.sleep(60)
"""
SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def test_what_a_killed_stack_left_behind_is_ended(tmp_path):
    register = tmp_path / "children.json"
    killed = Supervisor(log_directory=tmp_path, register_file=register)
    killed.start(Program("sleeper", SLEEPER))
    pid = killed.pid_of("sleeper")
    assert end_left_overs(register, grace_seconds=5.0) == ("sleeper",)
    assert killed.pid_of("sleeper") is None
    assert not psutil.pid_exists(pid)
    assert not register.exists()


def test_a_process_that_only_has_the_number_of_a_child_is_left_alone(tmp_path):
    register = tmp_path / "children.json"
    other = Supervisor(log_directory=tmp_path, register_file=tmp_path / "other.json")
    other.start(Program("stranger", SLEEPER))
    pid = other.pid_of("stranger")
    register.write_text(json.dumps([{"name": "web", "pid": pid, "born": 1.0}]))
    assert end_left_overs(register) == ()
    assert other.pid_of("stranger") == pid
    other.stop(["stranger"], grace_seconds=2.0)


def test_what_was_not_noted_is_found_by_the_log_it_writes_to(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    killed = Supervisor(log_directory=logs, register_file=tmp_path / "children.json")
    killed.start(Program("web", (sys.executable, "-c", STUBBORN_PAIR)))
    log = logs / "web.log"
    wait_until(lambda: log.read_text().count("\n") == 2)
    both = {killed.pid_of("web"), *map(int, log.read_text().split())} - {0}
    (tmp_path / "children.json").unlink()

    ended = end_left_overs(tmp_path / "children.json", logs, grace_seconds=0.2)

    assert ended == ("web",)
    assert len(both) == 2
    wait_until(lambda: not any(_runs(pid) for pid in both))
    killed.stop(["web"], grace_seconds=1.0)


def test_a_stopped_process_is_ended_too(tmp_path):
    killed = Supervisor(log_directory=tmp_path, register_file=tmp_path / "children.json")
    killed.start(Program("sleeper", SLEEPER))
    pid = killed.pid_of("sleeper")
    os.kill(pid, signal.SIGSTOP)
    assert end_left_overs(tmp_path / "children.json", grace_seconds=0.2) == ("sleeper",)
    assert not _runs(pid)


def test_neither_a_reader_of_a_log_nor_another_stacks_process_is_ended(tmp_path):
    logs, others = tmp_path / "logs", tmp_path / "logs-of-another"
    for directory in (logs, others):
        directory.mkdir()
    (logs / "web.log").touch()
    other = Supervisor(log_directory=others, register_file=tmp_path / "other.json")
    other.start(Program("web", SLEEPER))
    with (logs / "web.log").open() as read:
        reader = subprocess.Popen(SLEEPER, stdin=read, start_new_session=True)
    assert end_left_overs(tmp_path / "children.json", logs) == ()
    assert other.pid_of("web") is not None
    assert reader.poll() is None
    reader.kill()
    reader.wait()
    other.stop(["web"], grace_seconds=1.0)


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
