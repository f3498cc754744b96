import pytest

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.streams import streams_of

SHARED = {"source": "mt5", "name": "mt5-london", "spool": "spool", "url": "wss://a.org"}
A, B = r"C:\A\terminal64.exe", r"C:\B\terminal64.exe"


def nowhere(login, server):
    return ""


def told(settings, *keys, find=nowhere):
    streams = streams_of({**SHARED, **settings}, find)
    return [tuple(stream.get(key) for key in keys) for stream in streams]


def test_one_symbol_is_what_it_was():
    (stream,) = streams_of({**SHARED, "symbol": "XAUUSD", "terminal": A}, nowhere)
    assert {key: value for key, value in stream.items() if value} == {
        **SHARED,
        "symbol": "XAUUSD",
        "terminal": A,
    }
    assert told({}, "name", "spool", "symbol") == [("mt5-london", "spool", "")]
    assert told({"terminal_symbol": "GOLD"}, "terminal_symbol") == [("GOLD",)]
    assert told({"symbols": ["XAUUSD"]}, "name", "spool", "symbol") == [
        ("mt5-london", "spool", "XAUUSD")
    ]


@pytest.mark.parametrize(
    "symbols",
    [["XAUUSD", "EURUSD = EURUSD.r"], "XAUUSD,EURUSD=EURUSD.r", " XAUUSD , EURUSD=EURUSD.r,"],
)
def test_several_symbols_have_names_and_spools_of_their_own(symbols):
    found = told({"symbols": symbols}, "name", "symbol", "terminal_symbol", "spool")
    assert found == [
        ("mt5-london-XAUUSD", "XAUUSD", "", "spool/mt5-london-XAUUSD"),
        ("mt5-london-EURUSD", "EURUSD", "EURUSD.r", "spool/mt5-london-EURUSD"),
    ]


def test_several_terminals_share_what_stands_above_them():
    tables = [
        {"path": A, "login": 1, "symbols": ["XAUUSD"]},
        {"path": B, "login": 2, "portable": True, "name": "mt5-london-b", "symbol": "XAUUSD",
         "terminal-symbol": "GOLD"},
    ]  # fmt: skip
    found = told(
        {"terminal": tables, "clock": "server-eu"},
        *("name", "terminal", "login", "portable", "clock", "terminal_symbol", "spool"),
    )
    assert found == [
        ("mt5-london-XAUUSD", A, 1, None, "server-eu", "", "spool/mt5-london-XAUUSD"),
        ("mt5-london-b-XAUUSD", B, 2, True, "server-eu", "GOLD", "spool/mt5-london-b-XAUUSD"),
    ]


def test_symbols_above_are_every_terminal_s_that_has_none_of_its_own():
    tables = [{"path": A}, {"path": B, "name": "b", "symbols": ["EURUSD"]}]
    found = told({"terminal": tables, "symbols": ["XAUUSD", "GBPUSD"]}, "name", "terminal")
    assert found == [
        ("mt5-london-XAUUSD", A),
        ("mt5-london-GBPUSD", A),
        ("b-EURUSD", B),
    ]


def test_an_account_without_a_path_chooses_its_terminal():
    accounts = {(1, "One"): A, (2, ""): B}
    tables = [{"login": 1, "server": "One"}, {"login": "2", "symbol": "EURUSD"}]
    found = told({"terminal": tables}, "terminal", find=lambda *account: accounts[account])
    assert found == [(A,), (B,)]
    assert told({"login": 2}, "terminal", find=lambda *account: accounts[account]) == [(B,)]
    # A path that is given is believed.
    assert told({"login": 2, "terminal": A}, "terminal", find=lambda *_: B) == [(A,)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"path": A, "login": 1}, {"path": r"c:\a", "login": 2}),
        ({"path": A, "login": 1, "server": "X"}, {"path": A, "login": 1, "server": "Y"}),
        ({"path": A, "login": 1}, {"path": A}),
        ({"login": 1}, {"login": 2}),
        ({}, {"login": 2}),
    ],
)
def test_two_accounts_on_one_terminal_are_refused(one, other):
    tables = [{**one, "symbol": "XAUUSD"}, {**other, "symbol": "EURUSD"}]
    with pytest.raises(ConfigError, match=r"would share .*: give each \[\[terminal\]\] a path"):
        told({"terminal": tables})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"symbols": ["XAUUSD", "xauusd"]}, "two connectors would be called mt5-london-xauusd"),
        ({"symbols": ["A&B", "A+B"]}, "two connectors would be called mt5-london-A-B"),
        ({"terminal": [{"path": A}, {"path": B}]}, "two connectors would be called"),
        ({"symbols": ["XAUUSD"], "symbol": "XAUUSD"}, "give symbol or symbols, not both"),
        ({"symbols": ["=X"]}, "symbols is a list such as"),
        ({"symbols": []}, "symbols is a list such as"),
        ({"terminal": []}, "at least one"),
        ({"symbols": [1]}, "symbols is a list such as"),
        ({"symbols": {"a": 1}}, "symbols is a list such as"),
        ({"symbols": [f"S{n}" for n in range(51)]}, "51 symbols are too many"),
        ({"symbols": ["A", "B"], "source": "replay"}, "a replay is of one symbol"),
        ({"symbols": ["A", "B"], "name": "n" * 63}, "is longer than 64 letters"),
        ({"terminal": [{"path": A}], "source": "simulated"}, 'is for source = "mt5"'),
        ({"terminal": [{"path": A}], "login": 5}, "login belongs into one of them"),
        ({"terminal": [{"pth": A}]}, r"there is no setting 'pth' in \[\[terminal\]\]"),
        ({"terminal": ["C:\\A"]}, "terminal is a path, or several"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        told(settings)
