"""Calls and answers as they go between the two processes."""

import pickle

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.sources.terminal.calls import (
    AccountInfo,
    Answer,
    Call,
    Method,
    NewestTick,
    SymbolInfo,
    TerminalInfo,
    perform,
)
from tests.mt5_bridge.terminal import FakeTerminal

NOON = 1_704_456_000_000


def a_terminal():
    terminal = FakeTerminal(SERVER_EU)
    assert terminal.initialize()
    terminal.symbol_select("XAUUSD")
    terminal.arrive([(NOON, 2000.0, 2000.3)])
    return terminal


def value_of(terminal, method, *arguments):
    return pickle.loads(pickle.dumps(perform(terminal, Call(1, method, arguments)))).value


def test_results_of_the_package_become_plain_values():
    terminal = a_terminal()

    assert value_of(terminal, Method.TERMINAL_INFO) == TerminalInfo(
        True, name="MetaTrader 5", build=4755, ping_last=23_400
    )
    assert value_of(terminal, Method.ACCOUNT_INFO) == AccountInfo(123, "Broker-Demo")
    assert value_of(terminal, Method.SYMBOLS_GET) == (
        SymbolInfo("XAUUSD", True),
        SymbolInfo("NOT-WATCHED", False),
    )
    assert value_of(terminal, Method.SYMBOL_INFO_TICK, "XAUUSD") == NewestTick(NOON + 2 * 3_600_000)
    rows = value_of(terminal, Method.COPY_TICKS_FROM, "XAUUSD", 0, 10, -1)
    assert rows["bid"].tolist() == [2000.0]


def test_the_error_of_a_call_comes_with_its_answer():
    terminal = FakeTerminal(SERVER_EU)

    answer = perform(terminal, Call(7, Method.TERMINAL_INFO))

    assert answer == Answer(7, None, (-10004, "No IPC connection"))


def test_an_exception_of_the_package_is_an_answer_too():
    answer = perform(FakeTerminal(SERVER_EU), Call(7, Method.SYMBOL_SELECT))

    assert (answer.number, answer.value) == (7, None)
    assert answer.failure.startswith("symbol_select failed: ")


def test_a_password_is_not_shown():
    assert "hunter2" not in repr(Call(1, Method.INITIALIZE, options={"password": "hunter2"}))
