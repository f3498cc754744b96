"""A terminal in a child process, whose calls hold the interpreter's lock for real."""

import threading
import time

import psutil
import pytest

from mt5_bridge.sources.terminal.call_watchdog import CallLimits
from mt5_bridge.sources.terminal.calls import TerminalLostError
from mt5_bridge.sources.terminal.process import TerminalProcess
from tests.mt5_bridge.standin.market import FOLDER, PACKAGE, Market

LIMITS = CallLimits(answer=0.4, end=1.2, initialize_end=3.0, start=30.0)


@pytest.fixture
def market(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return Market(tmp_path).write()


@pytest.fixture
def terminal(market):
    process = TerminalProcess(PACKAGE, LIMITS)
    yield opened(process)
    process.end()


def opened(process):
    assert in_the_end(process.initialize)
    return process


def in_the_end(call):
    """What a call gives once a process has started, on a busy machine too."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return call()
        except TerminalLostError:
            assert time.monotonic() < deadline


def lost(call):
    with pytest.raises(TerminalLostError) as error:
        call()
    return error.value


def test_calls_are_done_in_another_process(terminal):
    assert terminal.terminal_info().connected
    assert terminal.account_info().server == "Broker-Demo"
    assert terminal.symbol_select("XAUUSD", True)
    assert not terminal.symbol_select("NONE", True)
    assert terminal.last_error() == (-1, "Terminal: Call failed")


def test_a_slow_call_is_reported_in_time_and_its_late_answer_is_thrown_away(market, terminal):
    market.ask_for("account_info", hold=0.8)
    began = time.monotonic()

    error = lost(terminal.account_info)

    assert 0.4 <= time.monotonic() - began < 0.8
    assert "has not answered account_info for" in str(error)
    assert not error.is_process_gone
    assert terminal.terminal_info().connected


def test_a_hung_call_has_its_process_killed_and_the_next_one_starts_another(market, terminal):
    pid = terminal.pid
    market.ask_for("account_info", hold=None)
    errors = []
    while not (errors and errors[-1].is_process_gone):
        errors.append(lost(terminal.account_info))

    assert not psutil.pid_exists(pid)
    assert opened(terminal).pid != pid
    assert terminal.account_info().login == 123


def test_a_process_that_dies_is_noticed_at_once(market, terminal):
    market.ask_for("account_info", die=True)

    error = lost(terminal.account_info)

    assert str(error) == "the process that talks to the terminal has ended (exit code -9)"
    assert error.is_process_gone
    assert in_the_end(terminal.terminal_info) is None
    assert terminal.last_error() == (-10004, "No IPC connection")


def test_the_end_interrupts_a_call_that_hangs_for_ever(market, terminal):
    pid = terminal.pid
    market.ask_for("account_info", hold=None)
    terminal._watchdog.limits = CallLimits()
    threading.Timer(0.3, terminal.end).start()
    began = time.monotonic()

    error = lost(terminal.account_info)

    assert time.monotonic() - began < 5
    assert error.is_process_gone
    assert not psutil.pid_exists(pid)
    assert lost(terminal.account_info).is_process_gone
    terminal.shutdown()


def test_while_a_call_hangs_this_process_goes_on(market, terminal):
    market.ask_for("account_info", hold=None)
    waiting = threading.Thread(target=lost, args=(terminal.account_info,))
    waiting.start()
    beats = 0
    while waiting.is_alive():
        time.sleep(0.01)
        beats += 1
    assert beats > 10


def test_a_package_that_cannot_be_loaded_is_a_sentence():
    terminal = TerminalProcess("tests.no_such_package")

    error = lost(terminal.terminal_info)

    assert str(error) == (
        "tests.no_such_package cannot be loaded: No module named 'tests.no_such_package'"
    )
    assert terminal.pid is None
