"""A feed is worked off to its end whatever befalls database and Redis, or is said to be not."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis

from goldtrader.stack import draining
from goldtrader.stack.draining import Drained, SentFeed
from goldtrader.stack.errors import StackError
from reports_app.backtest import engine
from signals_app.confluence.parameters import Parameters
from signals_app.market.encoding import as_json
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.goldtrader.stack.commands import export, pipeline_held, wait_until
from tests.stand_ins.market_files import write_market_files
from trades_app.lifecycle.exported import trade_as_json

DONE, BUSY = draining._Left("", 7), draining._Left("2 messages to send", 7)


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(draining, "_PAUSE_SECONDS", 0.0)


def looks(*answers):
    """Return a function that gives these answers in turn, and raises those that are errors."""
    left = iter(answers)

    def look():
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return look


@pytest.mark.usefixtures("no_pauses")
def test_it_waits_until_no_work_is_left_and_prints_what_is():
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draining.sys.stdout, "write", printed.append)
        assert draining._wait(7, looks(BUSY, BUSY, DONE)) is Drained.DONE
    assert printed == ["          2 messages to send\n"]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("work", ["", "3 closes to decide"])
def test_ticks_that_redis_has_lost_are_noticed_whether_or_not_work_is_left(work):
    assert draining._wait(7, looks(BUSY, draining._Left(work, 6))) is Drained.TICKS_LOST


@pytest.mark.usefixtures("no_pauses")
def test_what_does_not_answer_is_asked_again(capsys):
    silent = draining._Unanswered("Redis did not answer (Timeout)")
    assert draining._wait(7, looks(silent, silent, BUSY, silent, DONE)) is Drained.DONE
    assert capsys.readouterr().out.count("Redis did not answer (Timeout); it is asked again") == 2


@pytest.mark.usefixtures("no_pauses")
def test_what_never_answers_is_given_up_with_what_is_known(monkeypatch):
    monkeypatch.setattr(draining, "_PATIENCE_SECONDS", 0.05)

    def look():
        if look.answers:
            return look.answers.pop()
        time.sleep(0.01)
        raise draining._Unanswered("PostgreSQL did not answer (the connection is lost)")

    look.answers = [BUSY]
    with pytest.raises(StackError) as given_up:
        draining._wait(7, look)
    assert str(given_up.value) == (
        "For 0 s PostgreSQL did not answer (the connection is lost); "
        "what was left to do before: 2 messages to send."
    )


def test_a_spool_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "spool.sqlite3").write_text("this is no database" * 100)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    draining._report(SentFeed("XAUUSD", tmp_path), theirs)
    assert "is damaged" in ours.recv()


@pytest.mark.e2e
@pytest.mark.parametrize("stopped_seconds", [5, pytest.param(20, marks=pytest.mark.long)])
def test_a_feed_is_finished_over_cut_connections_a_stopped_and_an_emptied_redis(
    start_stack, tmp_path, stopped_seconds
):
    market = write_market_files(tmp_path)
    result = engine.run(DEFAULT_INSTRUMENTS[0], Parameters(), [market.ticks], market.history)
    stack = start_stack(
        *("--feed", str(market.ticks_file), "--history", str(market.history_directory)),
        *("--speed", "max", "--symbol", "XAUUSD", "--exit-when-done"),
        data_dir=tmp_path / "data",
    )
    stack.wait_for("The database is prepared")
    with pipeline_held(stack.data_dir) as holder:
        stack.wait_for("The feed has ended")
        stack.wait_for("ticks to use")
        holder.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        stack.wait_for("PostgreSQL did not answer")

        valkey = _pid_of(stack.data_dir, "valkey")
        os.kill(valkey, signal.SIGSTOP)
        try:
            stack.wait_for("Redis did not answer")
            time.sleep(stopped_seconds)
        finally:
            os.kill(valkey, signal.SIGCONT)

        settings = json.loads((stack.data_dir / "stack.json").read_text())
        with Redis.from_url(settings["redis_url"]) as redis:
            redis.flushall()
        stack.wait_for("Redis has lost ticks of the feed; the connector sends them again")
        wait_until(lambda: stack.said().count("The feed has ended") >= 2, seconds=60)

    assert stack.process.wait(300) == 0, stack.said()
    assert "Traceback" not in stack.said()
    assert export(stack.data_dir) == {
        "signals": [as_json(signal) for signal in result.signals],
        "trades": [trade_as_json(trade, events) for trade, events in result.trades],
    }


def _pid_of(data_dir: Path, name: str) -> int:
    running = json.loads((data_dir / "children.json").read_text())
    return next(each["pid"] for each in running if each["name"] == name)
