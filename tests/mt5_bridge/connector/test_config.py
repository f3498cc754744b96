from datetime import UTC, datetime
from pathlib import Path

import pytest

from mt5_bridge.connector.config import (
    Config,
    SourceKind,
    log_directory,
    read_setup,
    spool_of,
)
from mt5_bridge.connector.config_file import ConfigError

URL = "wss://example.org:8765/ws/v1/ticks"
ACCESS = ["--url", URL, "--token", "t"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read_config(arguments, environment):
    (config,) = read_setup(arguments, environment).streams
    return config


def test_the_command_line_is_enough():
    line = (
        "--source replay --file data/EURUSD_M1.csv --speed 600 --exit-when-done "
        "--token-url https://example.org/t --api-key k --source-timezone server-us"
    )
    config = read_config([*line.split(), "--url", URL], {})
    assert config == Config(
        source=SourceKind.REPLAY,
        url=URL,
        symbol="EURUSD",
        name="mt5-primary",
        spool=Path("var/mt5_bridge"),
        token_url="https://example.org/t",
        api_key="k",
        file=Path("data/EURUSD_M1.csv"),
        speed=600.0,
        source_timezone="server-us",
        exit_when_done=True,
    )


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path):
    (tmp_path / "mt5_bridge.toml").write_text(
        f'source = "mt5"\nurl = "{URL}"\ntoken-url = "https://example.org/t"\n'
        'symbol = "XAUUSD"\nname = "file"\napi_key = "file"\n'
    )
    config = read_config(
        ["--name", "line"], {"MT5_BRIDGE_API_KEY": "secret", "MT5_BRIDGE_NAME": "environment"}
    )
    assert (config.source, config.name, config.api_key) == (SourceKind.MT5, "line", "secret")


def test_a_terminal_of_ones_own_may_be_described():
    line = "--source mt5 --portable --terminal-symbol XAUUSD.r --poll-interval 0.5"
    config = read_config([*line.split(), *ACCESS], {})
    assert (config.portable, config.terminal_symbol) == (True, "XAUUSD.r")
    assert (config.symbol, config.poll_interval) == ("XAUUSD", 0.5)
    assert not read_config(["--source", "mt5", *ACCESS], {}).portable


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_a_token_address_on_this_machine_needs_no_encryption(host):
    line = ["--source", "mt5", "--url", URL, "--token-url", f"http://{host}/t", "--api-key", "k"]
    assert read_config(line, {}).token_url == f"http://{host}/t"


def test_secrets_are_not_shown():
    line = ["--source", "mt5", "--url", URL, "--token-url", "https://a.org/t"]
    secret = {"MT5_BRIDGE_API_KEY": "s3cret", "MT5_BRIDGE_PASSWORD": "s3cret"}
    assert "s3cret" not in repr(read_config(line, secret))
    assert "s3cret" not in repr(read_config(["--token", "s3cret", *line], {}))


def test_a_simulation_says_so_in_its_name():
    config = read_config(["--source", "simulated", *ACCESS, "--name", "embedded"], {})
    assert config.name == "embedded-simulated"
    assert (config.speed, config.symbol) == (60.0, "XAUUSD")
    again = read_config(["--source", "simulated", *ACCESS, "--name", "a-simulated"], {})
    assert again.name == "a-simulated"


def test_speed_and_beginning_are_understood():
    config = read_config(
        ["--source", "simulated", *ACCESS, "--speed", "max", "--from", "2026-01-05"], {}
    )
    assert config.speed is None
    assert config.from_ms == datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "give --source mt5, replay or simulated"),
        (["--source", "csv", *ACCESS], "give --source"),
        (["--source", "replay", *ACCESS], "give it with --file"),
        (["--source", "mt5", "--url", URL], "give --token-url and an API key"),
        (["--source", "mt5", "--token", "t"], "give the server with --url wss://"),
        (["--source", "mt5", "--token", "t", "--url", "ws://a.org/x"], "is not encrypted"),
        (
            ["--source", "mt5", "--url", URL, "--token-url", "http://a.org/t", "--api-key", "k"],
            "http://a.org/t is not encrypted and would show the API key",
        ),
        (
            ["--source", "mt5", "--url", URL, "--token-url", "a.org/t", "--api-key", "k"],
            "a.org/t is no address",
        ),
        (["--source", "mt5", *ACCESS, "--speed", "0"], "neither a number above 0 nor max"),
        (["--source", "mt5", *ACCESS, "--speed", "nan"], "neither a number above 0 nor max"),
        (["--source", "mt5", *ACCESS, "--poll-interval", "5"], "not between 0.01 and 2 seconds"),
        (["--source", "mt5", *ACCESS, "--digits", "two"], "--digits two is not a whole number"),
        (["--source", "mt5", *ACCESS, "--default-spread", "x"], "--default-spread x is not a"),
        (["--source", "simulated", *ACCESS, "--from", "soon"], "is not a date"),
        (["--source", "mt5", *ACCESS, "--colour", "red"], "unrecognized arguments"),
        (["--source", "mt5", *ACCESS, "--config", "none.toml"], "there is no file none.toml"),
    ],
)
def test_what_is_told_wrongly_is_said_in_one_sentence(arguments, what):
    with pytest.raises(ConfigError, match=what) as refused:
        read_config(arguments, {})
    assert "\n" not in str(refused.value)


def test_a_setting_that_does_not_exist_is_refused(tmp_path):
    (tmp_path / "mt5_bridge.toml").write_text('sorce = "mt5"\n')
    with pytest.raises(ConfigError, match="there is no setting 'sorce'"):
        read_config(ACCESS, {})
    (tmp_path / "mt5_bridge.toml").write_text("source = mt5\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(ACCESS, {})


def test_the_spool_alone_is_found_as_the_connector_finds_it(tmp_path):
    assert spool_of([], {}) == Path("var/mt5_bridge")
    (tmp_path / "mt5_bridge.toml").write_text('spool = "there"\n')
    assert spool_of([], {}) == Path("there")
    assert spool_of([], {"MT5_BRIDGE_SPOOL": "here"}) == Path("here")
    assert spool_of(["--spool", "now"], {"MT5_BRIDGE_SPOOL": "here"}) == Path("now")


def test_what_is_wrong_is_logged_where_the_spool_is(tmp_path):
    (tmp_path / "mt5_bridge.toml").write_text('spool = "there"\nsymbl = "X"\n')
    assert log_directory(["--source", "mt5"], {}) == Path("there")
    assert log_directory(["--spool", "here", "--nonsense"], {}) == Path("here")
    (tmp_path / "mt5_bridge.toml").write_text("spool = [")
    assert log_directory([], {}) == Path("var/mt5_bridge")
    assert log_directory(["--config"], {}) == Path("var/mt5_bridge")


def test_an_account_finds_its_terminal_where_several_are_installed(tmp_path):
    def install(place, path, login):
        data = tmp_path / "MetaQuotes" / "Terminal" / place
        (data / "config").mkdir(parents=True)
        (data / "origin.txt").write_text(path, encoding="utf-16")
        text = f"[Common]\nLogin={login}\nServer=Broker\n"
        (data / "config" / "common.ini").write_text(text, encoding="utf-16")

    here = {"APPDATA": str(tmp_path)}
    line = ["--source", "mt5", *ACCESS, "--login", "456", "--server", "Broker"]
    install("A", r"C:\A", 456)
    # The only one is left to the package, as before, whoever is logged in there.
    assert read_setup(line, here).streams[0].terminal == ""
    install("B", r"C:\B", 123)
    assert read_setup(line, here).streams[0].terminal == r"C:\A\terminal64.exe"
    assert read_setup([*line, "--terminal", "D"], here).streams[0].terminal == "D"
    assert read_setup([*line, "--login", "7"], here).streams[0].terminal == ""


def test_tables_of_terminals_are_not_hidden_by_an_option(tmp_path):
    (tmp_path / "mt5_bridge.toml").write_text('[[terminal]]\npath = "A"\n')
    with pytest.raises(ConfigError, match="change the path there"):
        read_setup(["--source", "mt5", *ACCESS, "--terminal", "B"], {})
