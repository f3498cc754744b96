"""`manage.py calibrate`: what order blocks, gaps and sweeps were worth, measured."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from signals_app.importers.candle_files import CandleFileError
from signals_app.importers.candle_series import (
    CandlePath,
    Run,
    Series,
    candle_paths,
    read_series,
    shortage,
)
from signals_app.management.database import NoDatabase, add_data_dir_argument, open_database
from signals_app.market.calendar import iso, milliseconds, utc
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.models import Instrument as InstrumentRow
from signals_app.probability.calibration import Forward, Sample, fit, sample_of, walk_forward
from signals_app.probability.estimate import Probability
from signals_app.services.calibration import (
    InUse,
    calibration_in_use,
    store_probabilities,
    stored_candles,
    stored_series,
)
from signals_app.services.connectors import is_simulated

_WIDTH = 118


@dataclass(frozen=True, slots=True)
class _Calibration:
    """What was measured of one market and timeframe."""

    symbol: str
    timeframe: Timeframe
    data: tuple[str, ...]
    candles: int
    events: int
    from_ms: int
    to_ms: int
    probabilities: tuple[Probability, ...]
    forward: Forward | None


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a run came to.

    `storing` says of each calibration, in their order, how it was stored; `left_out` has a
    sentence for what was too short to measure.
    """

    made: tuple[_Calibration, ...]
    left_out: tuple[str, ...]
    storing: tuple["_Storing", ...] = ()


@dataclass(frozen=True, slots=True)
class _Storing:
    """Whether a calibration was stored, and the words that go on from "Stored" or "Not stored"."""

    is_stored: bool
    text: str


class Command(BaseCommand):
    """Measures price history, from files or from the database, and stores what it found."""

    help = (
        "Measure how often order blocks, gaps and sweeps came to +1 R before -1 R, against random "
        "entries and placebos."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the history, what of it counts, and how to print."""
        parser.add_argument(
            "history",
            type=Path,
            nargs="*",
            help="candle files or directories, SYMBOL_TIMEFRAME….csv[.gz]; without any, the "
            "database's own history",
        )
        parser.add_argument("--symbol", help="this one alone")
        parser.add_argument("--timeframe", choices=["M15", "H1", "H4"], help="this one alone")
        parser.add_argument(
            "--source-timezone",
            default="utc",
            help="clock of times that say no offset, where a file's name does not end in _UTC, "
            "_SERVER-EU or _SERVER-US: utc, server-eu, server-us, a zone or +02:00",
        )
        parser.add_argument(
            "--until", help="use only outcomes known before this UTC date or time", metavar="DATE"
        )
        parser.add_argument(
            "--store",
            action="store_true",
            help="store what would not be: a look back in time, or fewer outcomes than before",
        )
        add_data_dir_argument(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def handle(self, **options: Any) -> None:
        """Measure, print, and store where there is a database."""
        until_ms = _moment(options["until"])
        try:
            measured = self._run(options, until_ms)
        except CandleFileError as error:
            raise CommandError(str(error), returncode=2) from None
        if not measured.made:
            nothing = "There are no candles of M15, H1 or H4 to measure."
            raise CommandError("\n".join(measured.left_out) or nothing, returncode=2)
        if options["json"]:
            told = map(_as_json, measured.made, measured.storing)
            self.stdout.write(json.dumps(list(told)))
            for each in measured.left_out:
                self.stderr.write(f"Left out: {each}")
            return
        console = Console(file=cast("IO[str]", self.stdout), highlight=False)
        console.width = max(console.width, _WIDTH)
        for one in measured.made:
            _print(console, one)
        console.print(_LEGEND, soft_wrap=True)
        for each in measured.left_out:
            console.print(f"Left out: {each}", soft_wrap=True)
        for line in _storing_lines(measured):
            console.print(line, soft_wrap=True)

    def _run(self, options: Mapping[str, Any], until_ms: int | None) -> _Measured:
        timeframe = Timeframe(options["timeframe"]) if options["timeframe"] else None
        paths = candle_paths(
            options["history"],
            symbol=options["symbol"],
            timeframe=timeframe,
            source_timezone=options["source_timezone"],
        )
        quiet = not self.stderr.isatty()
        try:
            with open_database(options["data_dir"], by="calibrate"):
                instruments = _instruments()
                jobs = (
                    _jobs_of_files(paths, instruments)
                    if options["history"]
                    else _jobs_of_database(options["symbol"], timeframe)
                )
                measured = _calibrate(jobs, until_ms, quiet=quiet)
                is_look_back = until_ms is not None
                storing = _store(
                    measured.made, is_look_back=is_look_back, is_asked_for=options["store"]
                )
                return replace(measured, storing=storing)
        except NoDatabase as error:
            if not options["history"] or options["data_dir"] is not None or options["store"]:
                raise
            measured = _calibrate(
                _jobs_of_files(paths, {one.symbol: one for one in DEFAULT_INSTRUMENTS}),
                until_ms,
                quiet=quiet,
            )
            no_database = _Storing(is_stored=False, text=f": {error}")
            return replace(measured, storing=(no_database,) * len(measured.made))


@dataclass(frozen=True, slots=True)
class _Job:
    symbol: str
    timeframe: Timeframe
    paths: tuple[CandlePath, ...]
    instrument: Instrument

    def series(self) -> Series:
        """Return the candles: those of the files, or without any those of the database."""
        if self.paths:
            return read_series(self.paths, self.instrument)
        candles = stored_candles(self.symbol, self.timeframe)
        spread = np.full(len(candles), self.instrument.default_spread)
        run = Run(f"the database's {self.symbol} {self.timeframe}", candles, spread)
        too_short = shortage(run)
        return Series((run,)) if too_short is None else Series((), (too_short,))


_LEGEND = (
    "won: +1 R before -1 R within 48 candles, spread paid; p: (won + 20 random)/(n + 20), with "
    "Wilson's 95 % interval of won/n, none below n = 200; random: entries of the same direction, "
    "hour and distances; placebo: the same shape where the detector found nothing. Outcomes "
    "overlap, so that true intervals are wider.\n"
)


def _jobs_of_files(paths: list[CandlePath], instruments: Mapping[str, Instrument]) -> list[_Job]:
    for one in paths:
        if one.symbol not in instruments:
            raise CandleFileError(
                f"{one.path} holds {one.symbol}, which is no instrument here; "
                f"there are {', '.join(sorted(instruments))}."
            )
    markets = sorted({(one.symbol, one.timeframe) for one in paths}, key=_place)
    return [
        _Job(
            symbol,
            timeframe,
            tuple(one for one in paths if (one.symbol, one.timeframe) == (symbol, timeframe)),
            instruments[symbol],
        )
        for symbol, timeframe in markets
    ]


def _jobs_of_database(symbol: str | None, timeframe: Timeframe | None) -> list[_Job]:
    instruments = _instruments()
    jobs = [
        _Job(name, length, (), instruments[name])
        for name, length in sorted(stored_series(), key=_place)
        if name in instruments and symbol in (None, name) and timeframe in (None, length)
    ]
    made_up = sorted({job.symbol for job in jobs if is_simulated(job.symbol)})
    if made_up:
        raise CommandError(
            f"The database's candles of {', '.join(made_up)} were made up by a simulated "
            "connector, and so would be what they give; name candle files of a real market.",
            returncode=2,
        )
    return jobs


def _place(market: tuple[str, Timeframe]) -> tuple[str, int]:
    return market[0], market[1].milliseconds


def _instruments() -> dict[str, Instrument]:
    return {row.symbol: row.value() for row in InstrumentRow.objects.all()}


def _calibrate(jobs: list[_Job], until_ms: int | None, *, quiet: bool) -> _Measured:
    made: list[_Calibration] = []
    left_out: list[str] = []
    with _progress(len(jobs), quiet=quiet) as step:
        for job in jobs:
            step(f"{job.symbol} {job.timeframe}")
            series = job.series()
            left_out += series.left_out
            runs = list(series.runs)
            if until_ms is not None:
                runs = [_before(run, until_ms, job.timeframe) for run in runs]
            runs = [run for run in runs if len(run.candles)]
            samples = [sample_of(run.candles, run.spread, job.timeframe) for run in runs]
            if not samples:
                continue
            sample = Sample.joined(samples)
            first = min(int(run.candles.time_ms[0]) for run in runs)
            last = max(int(run.candles.time_ms[-1]) for run in runs) + job.timeframe.milliseconds
            made.append(
                _Calibration(
                    symbol=job.symbol,
                    timeframe=job.timeframe,
                    data=tuple(_told(run) for run in runs),
                    candles=sum(len(run.candles) for run in runs),
                    events=len(sample),
                    from_ms=first,
                    to_ms=last,
                    probabilities=fit(sample),
                    forward=walk_forward(sample, _new_years(first, last)),
                )
            )
    return _Measured(tuple(made), tuple(left_out))


def _before(run: Run, until_ms: int, timeframe: Timeframe) -> Run:
    count = int((run.candles.time_ms + timeframe.milliseconds <= until_ms).sum())
    return Run(run.name, run.candles.part(0, count), run.spread[:count])


def _told(run: Run) -> str:
    candles: Candles = run.candles
    first, last = iso(int(candles.time_ms[0])), iso(int(candles.time_ms[-1]))
    return f"{run.name}: {len(candles):,} candles, {first} to {last}"


def _new_years(first_ms: int, last_ms: int) -> list[int]:
    """Return the turns of the years inside the data, and the data's end."""
    years = range(utc(first_ms).year + 1, utc(last_ms).year + 1)
    return [*(milliseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in years), last_ms]


def _store(
    made: Sequence[_Calibration], *, is_look_back: bool, is_asked_for: bool
) -> tuple[_Storing, ...]:
    made_at = timezone.now()
    told: list[_Storing] = []
    with transaction.atomic():
        for one in made:
            before = calibration_in_use(one.symbol, one.timeframe)
            reason = None if is_asked_for else _reason_against(one, before, is_look_back)
            if reason is not None:
                told.append(_Storing(False, f": {reason}; --store stores it all the same."))
                continue
            store_probabilities(
                one.symbol,
                one.timeframe,
                one.probabilities,
                data_from_ms=one.from_ms,
                data_to_ms=one.to_ms,
                made_at=made_at,
            )
            is_older = before is not None and before.data_to > utc(one.to_ms)
            told.append(_Storing(True, _NOT_IN_USE if is_older else _IN_USE))
    return tuple(told)


_IN_USE = ": signals made from now on say what was measured here."
_NOT_IN_USE = ", but signals go on saying what newer data say."


def _reason_against(one: _Calibration, before: InUse | None, is_look_back: bool) -> str | None:
    """Return why a calibration should not become the one that signals are told with."""
    if is_look_back:
        return "a look back in time (--until) says nothing about now"
    if before is not None and one.events < before.outcomes:
        return f"the calibration in use has {before.outcomes:,} outcomes, this one {one.events:,}"
    return None


def _storing_lines(measured: _Measured) -> list[str]:
    """Return a sentence for each way in which calibrations were stored or not."""
    markets: dict[_Storing, list[str]] = {}
    for one, storing in zip(measured.made, measured.storing, strict=True):
        markets.setdefault(storing, []).append(f"{one.symbol} {one.timeframe}")
    return [
        f"{'Stored' if storing.is_stored else 'Not stored'}, {', '.join(named)}{storing.text}"
        for storing, named in markets.items()
    ]


def _print(console: Console, one: _Calibration) -> None:
    console.print(
        f"[bold]{one.symbol} {one.timeframe}[/bold]: {one.events:,} outcomes in "
        f"{one.candles:,} candles\n" + "\n".join(f"  {line}" for line in one.data),
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("event", "kind", "direction", "scores"):
        table.add_column(name, no_wrap=True)
    for name in ("n", "won", "p", "95 %", "random", "placebo", "p - random"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in one.probabilities:
        bucket = row.bucket
        table.add_row(
            bucket.type,
            bucket.kind,
            bucket.direction,
            row.scores.removeprefix("score "),
            f"{row.n:,}",
            f"{row.wins:,}",
            "not measured" if row.p is None else f"{row.p:.1%}",
            ""
            if row.low is None or row.high is None
            else f"{100 * row.low:.0f}-{100 * row.high:.0f}",
            _percent(row.p0),
            _percent(row.placebo),
            "" if row.p is None or row.p0 is None else f"{100 * (row.p - row.p0):+.1f}",
        )
    console.print(table)
    console.print(_forward_text(one.forward), soft_wrap=True)
    console.print()


def _forward_text(forward: Forward | None) -> str:
    if forward is None:
        return "Walk-forward: too little history to foretell a year by those before it."
    gained = 100 * (1 - forward.error / forward.error_random)
    verdict = (
        "better than random entries' rates, by very little"
        if 0 < gained < 1
        else "better than random entries' rates"
        if gained > 0
        else "no better than random entries' rates"
    )
    bands = "; ".join(
        f"{100 * band.foretold:.1f} % foretold, {100 * band.happened:.1f} % happened"
        for band in forward.bands
    )
    return (
        f"Walk-forward, each year by those before it, {forward.n:,} events: {verdict} "
        f"(squared error {forward.error:.4f} against {forward.error_random:.4f}). By thirds: "
        f"{bands}."
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _as_json(one: _Calibration, storing: _Storing) -> dict[str, Any]:
    return {
        "symbol": one.symbol,
        "timeframe": one.timeframe.value,
        "data": list(one.data),
        "data_from": iso(one.from_ms),
        "data_to": iso(one.to_ms),
        "candles": one.candles,
        "events": one.events,
        "stored": storing.is_stored,
        "not_stored": None if storing.is_stored else storing.text.removeprefix(": "),
        "probabilities": [
            {
                "event": row.bucket.type.value,
                "kind": row.bucket.kind.value,
                "direction": row.bucket.direction.value,
                "tercile": row.bucket.tercile,
                **{name: value for name, value in asdict(row).items() if name != "bucket"},
            }
            for row in one.probabilities
        ],
        "walk_forward": None if one.forward is None else asdict(one.forward),
    }


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date or time like 2017-01-01.", returncode=2) from None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Any]:
    """Show on standard error, where somebody looks, what is being measured."""
    with Progress(
        TextColumn("Measuring {task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total)
        done = iter(range(total + 1))
        yield lambda what: progress.update(task, description=what, completed=next(done))
