"""Opening a terminal: as it is, with a login only where nobody is, seldom after a refusal."""

import pytest

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.sources.terminal.opening import (
    CannotOpenError,
    TerminalAccount,
    TerminalOpening,
)
from tests.mt5_bridge.polling import Clock
from tests.mt5_bridge.terminal import FakeTerminal

OURS = TerminalAccount(login=123, password="secret", server="Broker-Demo")


@pytest.fixture
def terminal():
    fake = FakeTerminal(SERVER_EU)
    fake.accounts = {123: ("secret", "Broker-Demo", SERVER_EU)}
    return fake


def test_a_terminal_is_opened_as_it_is(terminal):
    opening = TerminalOpening(terminal, TerminalAccount(), Clock())

    assert opening.open()
    assert opening.is_open
    assert terminal.logins == []
    opening.close()
    assert not opening.is_open


def test_pauses_after_refusals_double_and_end_with_a_login(terminal):
    clock, attempts = Clock(), []
    terminal.is_logged_in = False
    terminal.accounts = {123: ("changed", "Broker-Demo", SERVER_EU)}
    opening = TerminalOpening(terminal, OURS, clock)
    for _ in range(240):
        try:
            assert not opening.open()
        except CannotOpenError as error:
            attempts.append((clock(), str(error)))
        clock.seconds += 1.0
    first = attempts[0][0]

    assert [at - first for at, _ in attempts] == [0.0, 60.0, 180.0]
    assert attempts[0][1] == (
        "account 123 at Broker-Demo is refused: check login, server and MT5_BRIDGE_PASSWORD"
    )
    terminal.accounts = {123: ("secret", "Broker-Demo", SERVER_EU)}
    clock.seconds += 240.0
    assert opening.open()
