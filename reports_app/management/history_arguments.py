"""Which price history a command measures: files, or the database's own."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports_app.experiments.calibration_run import HistoryChoice
from reports_app.management.argument_types import moment, symbol
from signals_app.importers.candle_series import candle_paths
from signals_app.management.candle_arguments import add_source_timezone_argument
from signals_app.market.candle import TIMEFRAMES, Timeframe


def add_history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "history",
        type=Path,
        nargs="*",
        help="candle files or directories, SYMBOL_TIMEFRAME….csv[.gz], where a name may end in its "
        "clock (_UTC, _SERVER-EU, _SERVER-US); without any, the database's own history",
    )
    parser.add_argument("--symbol", type=symbol, help="this one alone")
    parser.add_argument(
        "--timeframe", choices=[one.value for one in TIMEFRAMES], help="this one alone"
    )
    add_source_timezone_argument(parser)
    parser.add_argument(
        "--until",
        type=moment,
        metavar="DATE",
        help="use only outcomes known before this UTC date or time",
    )


def history_choice(options: Mapping[str, Any]) -> HistoryChoice:
    """What `add_history_arguments` took; raises `MarketFileError` for a file it cannot place."""
    timeframe = Timeframe(options["timeframe"]) if options["timeframe"] else None
    paths = candle_paths(
        options["history"],
        symbol=options["symbol"],
        timeframe=timeframe,
        source_timezone=options["source_timezone"],
    )
    return HistoryChoice(
        paths if options["history"] else None, options["symbol"], timeframe, options["until"]
    )
