"""The connection to a terminal: its pipe, its account, its symbol."""

import pytest

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.terminal.calls import TerminalLostError
from mt5_bridge.sources.terminal.connection import TerminalConnection
from mt5_bridge.sources.terminal.opening import TerminalAccount
from tests.mt5_bridge.polling import Clock
from tests.mt5_bridge.terminal import FakeTerminal

OURS = TerminalAccount(login=123, password="secret", server="Broker-Demo")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def terminal():
    fake = FakeTerminal(SERVER_EU)
    fake.accounts = {123: ("secret", "Broker-Demo", SERVER_EU)}
    return fake


def a_connection(terminal, clock, account=OURS):
    return TerminalConnection(terminal, "XAUUSD", account, clock)


def messages(connection):
    return [notice.message for notice in connection.report.take_notices()]


def test_an_account_that_is_open_already_is_not_logged_in_again(terminal, clock):
    connection = a_connection(terminal, clock)
    assert connection.is_up()
    assert terminal.logins == []


def test_a_terminal_without_an_account_is_logged_in_once(terminal, clock):
    terminal.is_logged_in = False
    connection = a_connection(terminal, clock)
    assert connection.is_up()
    assert connection.is_up()
    assert terminal.logins == [(123, "secret", "Broker-Demo")]


def test_a_terminal_that_cannot_be_opened_without_an_account_is_logged_in(terminal, clock):
    terminal.knows_account = False

    def initialize(*path, login=0, **options):
        terminal.knows_account = bool(login)
        return FakeTerminal.initialize(terminal, *path, login=login, **options)

    terminal.initialize = initialize
    assert a_connection(terminal, clock).is_up()
    assert terminal.logins == [(123, "secret", "Broker-Demo")]


@pytest.mark.parametrize(
    "other", [TerminalAccount(login=456, password="secret"), TerminalAccount(123, server="Live")]
)
def test_an_account_is_never_taken_away_from_who_has_it_open(terminal, clock, other):
    other = TerminalAccount(login=other.login or 123, password="x", server=other.server or "Live")
    connection = a_connection(terminal, clock, other)
    assert not connection.is_up()
    assert not connection.is_up()
    (message,) = messages(connection)
    assert message.startswith("the terminal is logged in to account 123 at Broker-Demo, and this")
    assert terminal.logins == []


def test_a_refused_password_is_tried_again_after_minutes_and_reported_once(terminal, clock):
    terminal.is_logged_in = False
    terminal.accounts[123] = ("changed", "Broker-Demo", SERVER_EU)
    connection = a_connection(terminal, clock)
    attempts = []
    for second in range(3600):
        clock.seconds = float(second)
        assert not connection.is_up()
        if len(terminal.logins) > len(attempts):
            attempts.append(second)
    assert attempts == [0, 60, 180, 420, 900, 1800, 2700]
    (message,) = messages(connection)
    assert message == (
        "account 123 at Broker-Demo is refused: check login, server and MT5_BRIDGE_PASSWORD "
        "(-6: Terminal: Authorization failed)"
    )
    terminal.accounts[123] = ("secret", "Broker-Demo", SERVER_EU)
    clock.seconds = 4000.0
    assert connection.is_up()


@pytest.mark.parametrize("name", ["terminal_info", "account_info", "symbol_select"])
@pytest.mark.parametrize("code", [-10001, -10002, -10004, -10005])
def test_a_pipe_that_fails_is_closed_and_opened_again(terminal, clock, name, code):
    connection = a_connection(terminal, clock)
    assert connection.is_up()
    connection.report.take_notices()
    terminal.failures = {name: (code, "IPC failed")}

    assert not connection.is_up()

    (notice,) = connection.report.take_notices()
    assert notice.code is ErrorCode.MT5_DISCONNECTED
    assert notice.message.endswith(f"({code}: IPC failed)")
    assert (terminal.opened, terminal.shut_down) == (1, 1)
    terminal.failures = {}
    assert connection.is_up()
    assert terminal.opened == 2


def test_requests_that_fail_by_the_pipe_have_it_opened_again(terminal, clock):
    connection = a_connection(terminal, clock)
    for second in range(25):
        clock.seconds = float(second)
        assert connection.is_up()
        terminal._fail(-10005, "IPC timeout")
        connection.request_failed("the terminal gives no ticks")
    assert terminal.opened == 3
    assert [notice.code for notice in connection.report.take_notices()] == [
        ErrorCode.MT5_RECONNECTED
    ]


def test_a_request_that_is_refused_leaves_the_pipe_open(terminal, clock):
    connection = a_connection(terminal, clock)
    for second in range(40):
        clock.seconds = float(second)
        assert connection.is_up()
        terminal._fail(-1, "Terminal: Call failed")
        connection.request_failed("the terminal gives no ticks")
    assert terminal.opened == 1
    assert messages(connection)[-1] == "the terminal gives no ticks (-1: Terminal: Call failed)"


def test_a_call_without_an_answer_is_a_loss_until_such_a_call_is_answered(terminal, clock):
    connection = a_connection(terminal, clock)
    assert connection.is_up()
    connection.not_answered(TerminalLostError("no answer", is_process_gone=False), was_up=True)
    assert connection.is_up()
    assert not connection.report.is_working
    connection.request_answered()
    assert connection.is_up()
    assert connection.report.is_working


def test_a_portable_terminal_is_opened_as_one(terminal, clock):
    assert a_connection(terminal, clock).is_up()
    assert not terminal.is_portable
    assert a_connection(terminal, clock, TerminalAccount(is_portable=True)).is_up()
    assert terminal.is_portable


def test_a_password_is_not_shown():
    assert "secret" not in repr(OURS)
