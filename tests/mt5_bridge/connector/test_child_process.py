"""A process as its supervisor sees it; that it is started and watched, test_supervisor shows."""

import multiprocessing
from types import SimpleNamespace

from mt5_bridge.connector import child_process
from mt5_bridge.connector.child_process import BAD_INPUT, ConnectorProcess
from mt5_bridge.connector.running import BAD_INPUT as EXIT_CODE
from tests.mt5_bridge.connector.test_supervisor import a_stream, run


def test_its_exit_code_of_a_mistake_is_the_program_s():
    assert BAD_INPUT == EXIT_CODE


def test_one_that_was_never_started_can_be_ended(tmp_path):
    child = ConnectorProcess(a_stream(tmp_path, "RUNS"), run)
    assert child.state.text == "is started anew"
    assert child.sentinels == []
    child.look(0.0)
    child.ask_to_end()
    child.end(0.0)
    child.start_where_due(1.0)
    assert child.state.text == "has ended"
    assert child.sentinels == []


class FakeProcess(SimpleNamespace):
    """A process that lives until it is killed; its end of the pipe is the test's."""

    exitcode = None
    killed = False

    def is_alive(self):
        return not self.killed

    def kill(self):
        self.killed, self.exitcode = True, -9


def test_signs_of_life_keep_it_from_being_killed(tmp_path):
    child = ConnectorProcess(a_stream(tmp_path, "RUNS"), run)
    child._pipe, theirs = multiprocessing.Pipe()
    child._process = process = FakeProcess()
    for seconds in range(0, 2000, 100):
        theirs.send_bytes(b".")
        child.look(float(seconds))
    assert not process.killed
    # The machine slept: nobody could give a sign.
    child.slept(9000.0)
    child.look(9001.0)
    assert not process.killed
    child.look(9001.0 + child_process._STUCK_AFTER)
    assert process.killed
    child.look(9002.0 + child_process._STUCK_AFTER)
    assert child.state.text == "is started anew"
    theirs.close()
