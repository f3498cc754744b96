"""A process as its supervisor sees it; that it is started and watched, test_supervisor shows."""

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
