import json
import sys

import psutil

from goldtrader.stack.processes.process import Program
from goldtrader.stack.processes.register import end_left_overs
from goldtrader.stack.processes.supervisor import Supervisor

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
