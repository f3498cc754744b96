"""What becomes of a stack whose connector ends."""

import subprocess
import sys

import pytest

from goldtrader.stack import upkeep
from goldtrader.stack.draining import Drained, SentFeed
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes.process import Program
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import Screen


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(log_directory=tmp_path, register_file=tmp_path / "children.json")
    yield made
    made.stop(made.names(), grace_seconds=2.0)


@pytest.fixture
def feed(tmp_path):
    return SentFeed("XAUUSD", tmp_path)


def start_connector(supervisor, program="raise SystemExit(0)"):
    connector = Program("connector", (sys.executable, "-c", program))
    supervisor.start(connector, final_exits=frozenset({0, 2}))


def test_the_connector_comes_back_until_redis_has_the_whole_feed(
    supervisor, feed, monkeypatch, capsys
):
    ends = [Drained.TICKS_LOST, Drained.TICKS_LOST, Drained.DONE]
    monkeypatch.setattr(upkeep, "drain", lambda *_: ends.pop(0))
    start_connector(supervisor)
    upkeep.keep_running(supervisor, Screen(), until_done=feed)
    assert ends == []
    assert capsys.readouterr().out.count("the connector sends them again") == 2


def test_a_redis_that_never_keeps_the_feed_is_given_up(supervisor, feed, monkeypatch):
    monkeypatch.setattr(upkeep, "drain", lambda *_: Drained.TICKS_LOST)
    monkeypatch.setattr(upkeep, "_MOST_RETURNS", 1)
    start_connector(supervisor)
    with pytest.raises(StackError, match="its ticks were missing 2 times"):
        upkeep.keep_running(supervisor, Screen(), until_done=feed)


def test_a_connector_that_refuses_ends_the_stack_by_its_own_words(supervisor, feed):
    start_connector(supervisor, "print('line 3 is no tick'); raise SystemExit(2)")
    with pytest.raises(StackError, match="line 3 is no tick"):
        upkeep.keep_running(supervisor, Screen(), until_done=feed)


def test_metrics_of_ended_processes_are_added_up_where_nobody_asks_for_them(tmp_path, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f"gauge_livesum_{gone.pid}.db").write_bytes(bytes(8))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    upkeep.forget_ended_processes()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "nowhere"))
    upkeep.forget_ended_processes()
