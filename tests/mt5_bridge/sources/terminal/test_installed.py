import os

import pytest

from mt5_bridge.sources.terminal.installed import (
    InstalledTerminal,
    installed_terminals,
    same_program,
    terminal_of,
)

A, B = r"C:\Program Files\Broker A MT5", r"D:\MT5 B"


@pytest.fixture
def app_data(tmp_path):
    return tmp_path


def install(app_data, place, path, *, login=None, server="", used_at=0, encoding="utf-16"):
    data = app_data / "MetaQuotes" / "Terminal" / place
    (data / "config").mkdir(parents=True)
    (data / "origin.txt").write_bytes(path.encode(encoding))
    if login is not None:
        common = data / "config" / "common.ini"
        text = f"[Common]\r\nLogin={login}\r\nServer={server}\r\nProxyPassword=%x%\r\n"
        common.write_bytes(text.encode(encoding))
        os.utime(common, (used_at, used_at))


def test_terminals_are_found_with_the_account_that_was_open_last(app_data):
    install(app_data, "A1", A, login=123, server="BrokerA-Live", used_at=100)
    install(app_data, "B2", B, login=456, server="BrokerB", used_at=200, encoding="utf-16-le")
    install(app_data, "C3", r"C:\New", encoding="utf-8")
    assert installed_terminals(str(app_data)) == [
        InstalledTerminal(rf"{B}\terminal64.exe", 456, "BrokerB", 200),
        InstalledTerminal(rf"{A}\terminal64.exe", 123, "BrokerA-Live", 100),
        InstalledTerminal(r"C:\New\terminal64.exe"),
    ]


def test_an_account_chooses_its_terminal(app_data):
    install(app_data, "A1", A, login=123, server="BrokerA-Live", used_at=100)
    install(app_data, "B2", B, login=123, server="BrokerB-Demo", used_at=200)
    found = installed_terminals(str(app_data))
    assert terminal_of(123, "brokera-live", found).path == rf"{A}\terminal64.exe"
    # The same number at two brokers: without a server the last used one.
    assert terminal_of(123, "", found).path == rf"{B}\terminal64.exe"
    assert terminal_of(124, "", found) is None
    assert terminal_of(123, "Other", found) is None


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe\x00", b"[Common]\nLogin=abc\n", b"Login=1\n", b"[Other]\nLogin=1\n"]
)
def test_what_cannot_be_read_is_a_terminal_without_an_account(app_data, damage):
    install(app_data, "A1", A, login=1)
    (app_data / "MetaQuotes" / "Terminal" / "A1" / "config" / "common.ini").write_bytes(damage)
    assert [each.login for each in installed_terminals(str(app_data))] == [None]
    (app_data / "MetaQuotes" / "Terminal" / "A1" / "origin.txt").write_bytes(b"")
    assert installed_terminals(str(app_data)) == []


def test_a_machine_without_terminals_has_none(tmp_path):
    assert installed_terminals("") == []
    assert installed_terminals(str(tmp_path)) == []


@pytest.mark.parametrize(
    "path", [A, A.upper(), A + "\\", rf"{A}\terminal64.exe", f'"{A}\\Terminal64.EXE"']
)
def test_one_program_is_known_however_its_path_is_written(path):
    assert same_program(path) == same_program(A)
    assert same_program(path) != same_program(B)
