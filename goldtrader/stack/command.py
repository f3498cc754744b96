"""The options of `manage.py stack`, read before Django is loaded."""

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from goldtrader.stack.options import StackOptions
from goldtrader.stack.processes.children import ROOT
from goldtrader.stack.screen import Screen
from goldtrader.stack.stack import run
from signals_app.management.candle_arguments import add_source_timezone_argument

_HELP = "Starts database, Redis, gateway, workers, web and a feed; Ctrl-C ends all of them."


def main(arguments: Sequence[str]) -> int:
    """Parse ``arguments`` and run the stack; returns the exit code."""
    parser = ArgumentParser(prog="manage.py stack", description=_HELP)
    add_options(parser)
    asked = parser.parse_args(arguments)
    options = StackOptions(
        data_dir=asked.data_dir,
        feed=asked.feed,
        speed=asked.speed,
        history=asked.history,
        symbol=asked.symbol,
        source_timezone=asked.source_timezone,
        port=asked.port,
        gateway_port=asked.gateway_port,
        workers=asked.workers,
        exit_when_done=asked.exit_when_done,
    )
    # What any part of it writes is for this account alone.
    os.umask(0o077)
    return run(options, Screen())


def add_options(parser: ArgumentParser) -> None:
    """Add the options, with defaults for a first run."""
    data_dir = Path(os.environ.get("DATA_DIR", ROOT / "var"))
    gateway_port = os.environ.get("GATEWAY_PORT", "8765")
    parser.add_argument("--feed", default="simulated", help="simulated, none, or a file of ticks")
    parser.add_argument(
        "--speed", help="times real time, or max (default: simulated 60, a file max)"
    )
    parser.add_argument("--history", type=Path, help="SYMBOL_TIMEFRAME.csv[.gz], or a directory")
    parser.add_argument("--data-dir", type=Path, default=data_dir, help="what is kept, and logs")
    parser.add_argument("--port", type=int, default=8000, help="of the web server")
    parser.add_argument("--gateway-port", type=int, default=gateway_port)
    parser.add_argument("--workers", type=int, default=2, help="processes of the pipeline")
    parser.add_argument("--symbol", help="of the feed; by default what the file name says")
    add_source_timezone_argument(parser)
    parser.add_argument("--exit-when-done", action="store_true", help="end with the feed")
