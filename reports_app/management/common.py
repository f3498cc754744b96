"""What the commands that run the engine over a file have in common: arguments and progress."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from reports_app.research.files import Market, open_market
from signals_app.market.calendar import milliseconds

#: Tells how much is done, and of what.
Step = Callable[[int, str], None]


def add_market_arguments(parser: ArgumentParser) -> None:
    """Take the file, the history before it and the span."""
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
        "--from", type=moment, dest="begin", help="decide nothing before (UTC date or time)"
    )
    parser.add_argument(
        "--to", type=_end, dest="end", help="read nothing after (UTC; a date with its day)"
    )
    parser.add_argument(
        "--source-timezone",
        default="utc",
        help="clock of times without an offset: utc (default), server-eu, server-us, "
        "an IANA name or +02:00",
    )


def add_settings_argument(parser: ArgumentParser) -> None:
    """Take changes of the default parameters."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings_given",
        help="a parameter of docs/confluence.md, for example threshold=85; may be repeated",
    )


def market_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `open_market` takes, as the command line gave it."""
    return {
        "symbol": options["symbol"],
        "ticks": options["ticks"],
        "candles": options["candles"],
        "history": options["history"],
        "source_timezone": options["source_timezone"],
        "begin_ms": options["begin"],
        "end_ms": options["end"],
    }


def market_of(options: Mapping[str, Any]) -> Market:
    """Return the market that the command line names; raises as `open_market` does."""
    return open_market(**market_arguments(options))


@contextmanager
def progress(total: int | None, *, quiet: bool) -> Iterator[Step]:
    """Show progress on standard error, where somebody looks."""
    with Progress(
        TextColumn("{task.completed:,} {task.fields[what]}"),
        BarColumn(),
        TimeElapsedColumn(),
        *([TimeRemainingColumn()] if total is not None else []),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    ) as shown:
        task = shown.add_task("", total=total, what="")
        yield lambda done, what: shown.update(task, completed=done, what=what)


def moment(text: str) -> int:
    """Return the Unix milliseconds of a UTC date or time, for `argparse`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date or time like 2014-05-01") from None
    return milliseconds(found if found.tzinfo else found.replace(tzinfo=UTC))


def _end(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return moment(text)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return milliseconds(midnight + timedelta(days=1))
