"""`manage.py backtest`: the signals and trades of the live engine over a file."""

import gc
import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reports_app.backtest.columns import smallest_step
from reports_app.backtest.engine import run, run_on_candles
from reports_app.backtest.report import backtest_as_json, print_report
from reports_app.backtest.result import BacktestResult
from signals_app.confluence.parameters import Parameters
from signals_app.gateway.offline import TickFileError, open_ticks, read_ticks
from signals_app.importers.candle_files import CandleFileError, read_candle_file, read_candles
from signals_app.market.calendar import iso, milliseconds
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.market.tick import Float64s, Ticks, quantise_all

_WIDTH = 110
_History = Mapping[Timeframe, Candles]
_Step = Callable[[int, str], None]
_HISTORY_NAME = re.compile(r"(?P<symbol>[A-Z0-9]+)_(?P<timeframe>M15|H1|H4)(?=[_.]).*\.csv(\.gz)?")


class Command(BaseCommand):
    """Runs the engine over a file of ticks or candles; needs no database."""

    help = "Say which signals and trades the live engine would have made on a file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the history before it, the span and how to print."""
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
            "--from", type=_moment, dest="begin", help="decide nothing before (UTC date or time)"
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
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="settings_given",
            help="a parameter of docs/confluence.md, for example threshold=85; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        """Run, then print."""
        # What is imported stays: the collector need not walk it again and again.
        gc.freeze()
        try:
            job = _job(options)
            with _progress(job.total, quiet=not self.stderr.isatty()) as step:
                result = job.run(step)
        except (CandleFileError, TickFileError, _BadInput) as error:
            raise CommandError(str(error), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(backtest_as_json(result)))
            return
        console = Console(file=cast("IO[str]", self.stdout), highlight=False)
        # Too narrow a window breaks lines, but no figure is cut.
        console.width = max(console.width, _WIDTH)
        print_report(console, result, job.assumed)


class _BadInput(Exception):  # noqa: N818 - it names what happened
    """What was asked for cannot be done; the sentence says why."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A backtest ready to run; `total` is how many candles it takes, `None` for ticks."""

    run: Callable[[_Step], BacktestResult]
    total: int | None
    assumed: str


def _job(options: Mapping[str, Any]) -> _Job:
    instrument = _instrument(options["symbol"])
    parameters = _parameters(options["settings_given"])
    zone, begin_ms, end_ms = options["source_timezone"], options["begin"], options["end"]
    history = _history(options["history"], instrument.symbol, zone)
    ticks_from: Path | None = options["ticks"]
    if ticks_from is None:
        path: Path = options["candles"]
        file = read_candle_file(path, zone)
        step = smallest_step(file.candles)
        if step is None or step.milliseconds > Timeframe.M15.milliseconds:
            raise _BadInput(f"{path} holds no candles of M15 or shorter; signals are made on M15.")
        if step is not Timeframe.M1:
            spreads, assumed = _spreads(instrument, file.spread, in_points=file.spread_in_points)
            candles, spreads = _until(file.candles, spreads, end_ms)
            return _Job(
                lambda done: run_on_candles(
                    instrument,
                    parameters,
                    candles,
                    spreads,
                    history,
                    decide_from_ms=begin_ms,
                    on_progress=lambda count: done(count, "candles"),
                ),
                len(candles),
                f"{step} candles, {file.assumed}; {assumed}; "
                "where one candle holds stop and target, the stop came first",
            )
        # A file of M1 candles serves as ticks, four to a candle.
        ticks_from = path
    reading: dict[str, Any] = {
        "symbol": instrument.symbol,
        "source_timezone": zone,
        "default_spread": instrument.default_spread,
        "digits": instrument.digits,
    }
    assumed = open_ticks(ticks_from, **reading).assumed
    batches = _ticks_until(read_ticks(ticks_from, **reading), end_ms)
    return _Job(
        lambda done: run(
            instrument, parameters, _counted(batches, done), history, decide_from_ms=begin_ms
        ),
        None,
        assumed,
    )


def _instrument(symbol: str) -> Instrument:
    for instrument in DEFAULT_INSTRUMENTS:
        if instrument.symbol == symbol:
            return instrument
    known = ", ".join(instrument.symbol for instrument in DEFAULT_INSTRUMENTS)
    raise _BadInput(f"{symbol} is no instrument that is known here; known are {known}.")


def _parameters(given: list[str]) -> Parameters:
    parameters = Parameters()
    names, changes = {field.name for field in fields(Parameters)}, dict[str, Any]()
    for text in given:
        name, _, value = text.partition("=")
        if name not in names:
            raise _BadInput(f"{name!r} is no parameter; docs/confluence.md lists them.")
        try:
            whole = isinstance(getattr(parameters, name), int)
            changes[name] = int(value) if whole else float(value)
        except ValueError:
            raise _BadInput(f"{text!r} is not a name, = and a number.") from None
    return replace(parameters, **changes)


def _history(place: Path | None, symbol: str, source_timezone: str) -> _History:
    if place is None:
        return {}
    if not place.exists():
        raise _BadInput(f"The history {place} does not exist; name another with --history.")
    files: dict[Timeframe, Path] = {}
    for file in sorted(place.iterdir()) if place.is_dir() else [place]:
        named = _HISTORY_NAME.fullmatch(file.name)
        if named is not None and named["symbol"] == symbol:
            files.setdefault(Timeframe(named["timeframe"]), file)
    if not files:
        raise _BadInput(f"The history {place} holds no file named like {symbol}_M15.csv.gz.")
    return {timeframe: read_candles(file, source_timezone) for timeframe, file in files.items()}


def _spreads(
    instrument: Instrument, spread: Float64s | None, *, in_points: bool
) -> tuple[Float64s | float, str]:
    if spread is None:
        return instrument.default_spread, f"a spread of {instrument.default_spread:g} throughout"
    point = 10.0**-instrument.digits if in_points else 1.0
    return quantise_all(spread * point), "each candle's own spread"


def _until(
    candles: Candles, spreads: Float64s | float, end_ms: int | None
) -> tuple[Candles, Float64s]:
    every = np.broadcast_to(np.asarray(spreads, dtype=np.float64), (len(candles),))
    if end_ms is None:
        return candles, every
    count = int(np.searchsorted(candles.time_ms, end_ms))
    return candles.part(0, count), every[:count]


def _ticks_until(batches: Iterator[Ticks], end_ms: int | None) -> Iterator[Ticks]:
    for ticks in batches:
        if end_ms is not None and len(ticks) and int(ticks.time_ms[-1]) >= end_ms:
            yield ticks.part(0, int(np.searchsorted(ticks.time_ms, end_ms)))
            return
        yield ticks


def _counted(batches: Iterator[Ticks], done: _Step) -> Iterator[Ticks]:
    count = 0
    for ticks in batches:
        yield ticks
        count += len(ticks)
        done(count, f"ticks, {iso(int(ticks.time_ms[-1]))}" if len(ticks) else "ticks")


@contextmanager
def _progress(total: int | None, *, quiet: bool) -> Iterator[_Step]:
    """Show progress on standard error, where somebody looks."""
    with Progress(
        TextColumn("{task.completed:,} {task.fields[what]}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total, what="")
        yield lambda done, what: progress.update(task, completed=done, what=what)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date or time like 2014-05-01") from None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _end(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _moment(text)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return milliseconds(midnight + timedelta(days=1))
