"""What every command that runs the engine over a file takes: a market, a span and settings."""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from reports_app.backtest.market_files import BadInput, MarketFileError
from reports_app.experiments.local_trials import processors
from reports_app.experiments.setup import Setup, UnknownInstrument, default_setup, stored_setup
from reports_app.management.argument_types import end, moment, positive
from signals_app.confluence.limits import BadParameter
from signals_app.management.candle_arguments import (
    add_quote_arguments,
    add_source_timezone_argument,
    known_instruments,
    with_quotes,
)
from signals_app.management.database import add_data_dir_argument, open_database


def add_run_arguments(parser: ArgumentParser) -> None:
    """Take what the engine runs over, and by which parameters."""
    _add_market_arguments(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="changes",
        help="a parameter of docs/domain/confluence.md, for example threshold=85; may be repeated",
    )
    add_strategy_arguments(parser)


def add_strategy_arguments(parser: ArgumentParser) -> None:
    """Take a strategy of the database, and which database."""
    parser.add_argument(
        "--strategy",
        metavar="live|VERSION",
        help="take a strategy's parameters and the instrument from the database, as the live "
        "system does; without it: the defaults, and no database",
    )
    add_data_dir_argument(parser)


def add_workers_argument(parser: ArgumentParser) -> None:
    """Take how many processors may work on one run."""
    parser.add_argument(
        "--workers",
        type=positive,
        default=processors(),
        metavar="N",
        help="threads that look for the closes worth deciding; any number gives the same result "
        "(one per processor)",
    )


@contextmanager
def refusing_bad_input() -> Iterator[None]:
    """End the command with exit code 2 and one sentence for what its user can put right."""
    try:
        yield
    except (BadInput, BadParameter, MarketFileError) as error:
        raise CommandError(str(error), returncode=2) from None


def setup_of(options: Mapping[str, Any]) -> Setup:
    """The defaults or a stored strategy, with the changes of ``--set``.

    Raises `BadInput`, `BadParameter`, or `CommandError` where the database cannot be used.
    """
    if options["strategy"] is None:
        known = known_instruments(options, by="a backtest")
        return replace(default_setup(), instruments=known).changed(options["changes"])
    with open_database(options["data_dir"], by="a backtest"):
        stored = stored_setup(options["strategy"])
    return stored.changed(options["changes"])


def market_arguments(options: Mapping[str, Any], setup: Setup) -> dict[str, Any]:
    """The arguments of `open_market`; raises `BadInput` for an unknown instrument."""
    try:
        instrument = setup.instrument(options["symbol"])
    except UnknownInstrument as error:
        raise BadInput(
            f"{error} With --instrument or --strategy live, those of the database are."
        ) from None
    return {
        "instrument": with_quotes(instrument, options),
        "ticks": options["ticks"],
        "candles": options["candles"],
        "history": options["history"],
        "source_timezone": options["source_timezone"],
        "begin_ms": options["begin"],
        "end_ms": options["end"],
        "rates": options["rates"],
    }


def _add_market_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--symbol", required=True, help="for example XAUUSD")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ticks", type=Path, help="tick CSV, MetaTrader ticks or M1 candles")
    source.add_argument("--candles", type=Path, help="candles of M15 or shorter")
    parser.add_argument(
        "--history",
        type=Path,
        help="a directory of SYMBOL_TIMEFRAME.csv[.gz], or one such file, from before the file",
    )
    parser.add_argument(
        "--rates",
        type=Path,
        help="candles of the pair that turns the symbol's currency into dollars, named like "
        "GBPUSD_H1.csv.gz, or a directory of them (the history's)",
    )
    parser.add_argument(
        "--from", type=moment, dest="begin", help="decide nothing before (UTC date or time)"
    )
    parser.add_argument(
        "--to", type=end, dest="end", help="read nothing after (UTC; a date with its day)"
    )
    add_source_timezone_argument(parser)
    add_quote_arguments(parser)
