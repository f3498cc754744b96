"""The options of the connector's command line."""

import argparse
import re
from typing import Final, NoReturn

from mt5_bridge import __version__
from mt5_bridge.connector.config_file import CONFIG_FILE, ConfigError

DEFAULT_NAME: Final = "mt5-primary"
DEFAULT_SPOOL: Final = "var/mt5_bridge"
DEFAULT_SYMBOL: Final = "XAUUSD"


class OptionParser(argparse.ArgumentParser):
    """Raises `ConfigError` where others print their usage and end."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see python -m mt5_bridge --help")


def option_parser() -> argparse.ArgumentParser:
    """The parser of all settings; it raises `ConfigError`."""
    parser = OptionParser(
        prog="python -m mt5_bridge",
        description="Sends ticks to the analysis server. `status` shows how a running connector "
        "does, `store-key` moves its key into the keyring, `install-task` lets Windows keep it "
        "running; each has its own --help.",
    )
    # For argparse `--source-timezone -05:00` is two options, unless that is a negative number.
    parser._negative_number_matcher = re.compile(r"-\d+(?::?\d+)?|-\d*\.\d+")
    add = parser.add_argument
    add("--version", action="version", version=f"mt5_bridge {__version__}")
    add("--source", help="mt5, replay (a file of ticks) or simulated (made-up prices)")
    add("--url", help="the server, wss://HOST:8765/ws/v1/ticks")
    add("--token-url", help="where the API key is changed for a token")
    add("--api-key", help="better given as MT5_BRIDGE_API_KEY: command lines can be read")
    add("--key-from", help="keyring: take the API key from there, where store-key has put it")
    add("--token", help="a token instead of token URL and API key")
    add("--cafile", help="trust exactly these certificates instead of the system's authorities")
    add("--certificate", help="the text of such a certificate, as connector_config prints it")
    add("--token-cafile", help="trust exactly these for the token URL")
    add("--name", help=f"the connector's name (default {DEFAULT_NAME})")
    add("--symbol", help="the symbol (default: what the file's name begins with, or XAUUSD)")
    add("--symbols", help="several, each with a process of its own: XAUUSD,EURUSD=EURUSD.r")
    add("--spool", help=f"directory for what is not sent yet (default {DEFAULT_SPOOL})")
    add("--config", help=f"a file with these settings (default {CONFIG_FILE} where there is one)")
    add("--history", help="candles to send first: a SYMBOL_TIMEFRAME.csv[.gz] or a directory")
    add("--file", help="replay: the file of ticks or M1 candles")
    add("--speed", help="replay, simulated: times real time, or max")
    add("--source-timezone", help="clock of the files' times: utc, server-eu, server-us, +02:00 …")
    add("--digits", help="replay of candles, simulated: decimals of a point")
    add("--default-spread", help="replay of candles, simulated: the usual spread in price")
    add(
        "--exit-when-done",
        action="store_const",
        const=True,
        help="replay: end once everything is acknowledged",
    )
    add("--seed", help="simulated: which made-up market")
    add("--from", help="simulated: where to begin, such as 2026-01-05")
    add("--clock", help="mt5: the server's clock, auto or as for --source-timezone")
    add("--terminal", help="mt5: path of terminal64.exe")
    add("--portable", action="store_const", const=True, help="mt5: start it in portable mode")
    add("--terminal-symbol", help="mt5: the broker's spelling, such as XAUUSD.r (default --symbol)")
    add("--poll-interval", help="mt5: seconds between two looks at the terminal (default 0.1)")
    add("--login", help="mt5: account number, where the terminal is not logged in")
    add("--server", help="mt5: the broker's server; the password is MT5_BRIDGE_PASSWORD")
    return parser
