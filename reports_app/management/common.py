"""What the commands that run the engine over a file share: arguments, settings and progress."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from reports_app.experiments.files import (
    BadInput,
    CandleFileError,
    Market,
    Step,
    TickFileError,
    open_market,
)
from reports_app.experiments.stored import Stored, read_stored
from signals_app.confluence.limits import BadParameter, changed, read_change
from signals_app.confluence.parameters import Parameters
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.calendar import milliseconds
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument

#: What a user can mend; each is one sentence for him.
REFUSALS = (BadInput, BadParameter, CandleFileError, TickFileError)


def add_run_arguments(parser: ArgumentParser) -> None:
    """Take what the engine runs over, and by which parameters."""
    _add_market_arguments(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings_given",
        help="a parameter of docs/confluence.md, for example threshold=85; may be repeated",
    )
    add_strategy_arguments(parser)


def _add_market_arguments(parser: ArgumentParser) -> None:
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


def add_strategy_arguments(parser: ArgumentParser) -> None:
    """Take a strategy of the database, and which database."""
    parser.add_argument(
        "--strategy",
        metavar="live|VERSION",
        help="take a strategy's parameters and the instrument from the database, as the live "
        "system does; without it: the defaults, and no database",
    )
    add_data_dir_argument(parser)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is set to: its parameters and the instruments there are, by symbol.

    `told` names where they come from.
    """

    parameters: Parameters
    instruments: Mapping[str, Instrument]
    told: str

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument of that symbol; raises `BadInput`."""
        try:
            return self.instruments[symbol]
        except KeyError:
            known = ", ".join(self.instruments)
            raise BadInput(
                f"{symbol} is no instrument that is known here; known are {known}. With "
                "--strategy live, those of the database are."
            ) from None


def setup_of(options: Mapping[str, Any]) -> Setup:
    """Return what the command line asks for: the defaults or a stored strategy, with its changes.

    Raises `BadInput`, `BadParameter`, or `CommandError` where the database cannot be used.
    """
    if options["strategy"] is None:
        instruments = {one.symbol: one for one in DEFAULT_INSTRUMENTS}
        setup = Setup(Parameters(), instruments, "the defaults")
    else:
        stored = _stored(options["strategy"], options["data_dir"])
        setup = Setup(stored.parameters, stored.instruments, stored.name)
    given = options.get("settings_given") or []
    if not given:
        return setup
    parameters = changed(setup.parameters, dict(map(read_change, given)))
    return Setup(parameters, setup.instruments, f"{setup.told}, with {', '.join(given)}")


def market_arguments(options: Mapping[str, Any], instrument: Instrument) -> dict[str, Any]:
    """Return what `open_market` takes, as the command line gave it."""
    return {
        "instrument": instrument,
        "ticks": options["ticks"],
        "candles": options["candles"],
        "history": options["history"],
        "source_timezone": options["source_timezone"],
        "begin_ms": options["begin"],
        "end_ms": options["end"],
    }


def market_of(options: Mapping[str, Any], setup: Setup) -> Market:
    """Return the market that the command line names; raises as `open_market` does."""
    return open_market(**market_arguments(options, setup.instrument(options["symbol"])))


@contextmanager
def progress(*, quiet: bool) -> Iterator[Step]:
    """Show progress on standard error, where somebody looks; it begins anew where less is done."""
    with Progress(
        TextColumn("{task.fields[what]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    ) as shown:
        task = shown.add_task("", total=None, what="")

        def step(done: int, total: int, what: str) -> None:
            if done < shown.tasks[0].completed:
                shown.reset(task, total=total, what=what)
            shown.update(task, completed=done, total=total, what=what)

        yield step


def moment(text: str) -> int:
    """Return the Unix milliseconds of a UTC date or time, for `argparse`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date or time like 2014-05-01") from None
    return milliseconds(found if found.tzinfo else found.replace(tzinfo=UTC))


def positive(text: str) -> int:
    """Return a whole number from 1 on, for `argparse`."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Return a whole number from 0 on, for `argparse`."""
    return _whole(text, 0)


def _whole(text: str, lowest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise ArgumentTypeError(f"{text!r} is no whole number from {lowest} on")
    return number


def _stored(which: str, data_dir: Path | None) -> Stored:
    with open_database(data_dir, by="a backtest"):
        return read_stored(which)


def _end(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return moment(text)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return milliseconds(midnight + timedelta(days=1))
