"""`manage.py reliability`: did higher confluence scores do better, and better than chance?"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import wrap
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reports_app.assessment.live_scores import Live, live_as_json, live_reliability
from reports_app.assessment.reliability import (
    MINIMUM_OUTCOMES,
    Reliability,
    Scored,
    reliability,
    reliability_as_json,
    score_outcomes,
)
from reports_app.experiments.stored import LIVE, NoStrategy, read_stored
from reports_app.experiments.told import read_told
from reports_app.management.common import add_strategy_arguments
from signals_app.confluence.parameters import Parameters
from signals_app.importers.candle_files import CandleFileError
from signals_app.importers.candle_series import Series, candle_paths, read_series
from signals_app.management.database import open_database
from signals_app.market.calendar import milliseconds, utc
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.services.connectors import is_simulated
from signals_app.services.price_history import stored_candles, stored_series

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class _Source:
    """What is looked at: the candles, and what scores them.

    `settings` names where the parameters come from. `history` fills the windows of H1 and H4 before
    the first candle. `live` is what the live record says, `None`
    where no database was asked; `is_made_up` is of the database, whether or not the candles are.
    """

    instrument: Instrument
    parameters: Parameters
    settings: str
    series: Series
    history: Mapping[Timeframe, Candles] = field(default_factory=dict)
    live: Live | None = None
    is_of_files: bool = True
    is_made_up: bool = False


class Command(BaseCommand):
    """Scores every close of M15 candles by the live engine; with files it needs no database."""

    help = "Say, band by band, whether higher scores did better than lower and random ones."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the candles, the span that counts, and where to put the answer."""
        parser.add_argument(
            "history",
            type=Path,
            nargs="*",
            help="M15 candle files, or directories of them; without any, the database's own "
            "history, beside what its live signals did",
        )
        parser.add_argument("--symbol", default="XAUUSD")
        parser.add_argument("--source-timezone", default="utc", help="as calibrate has it")
        parser.add_argument("--from", type=_day, dest="begin", help="first day (UTC)")
        parser.add_argument("--to", type=_day, dest="end", help="first day that does not count")
        add_strategy_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--png", type=_picture, metavar="FILE", help="draw the bands as well, into this file"
        )

    def handle(self, **options: Any) -> None:
        """Score, compare, tell; draw last, so that no picture costs the answer."""
        try:
            source = _source(options)
        except (CandleFileError, NoStrategy) as error:
            raise CommandError(str(error), returncode=2) from None
        runs = _runs_in_span(source.series, options["begin"], options["end"])
        if not runs and (source.live is None or not source.live.bands):
            raise CommandError(_nothing(source), returncode=2)
        scored = self._score(source, runs, options["begin"])
        found = reliability(scored, source.parameters.threshold)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(source, runs, found)))
        else:
            console = Console(file=cast("IO[str]", self.stdout), highlight=False)
            console.width = max(console.width, _WIDTH)
            _print(console, source, runs, found)
        if options["png"] is not None:
            try:
                _draw(found, source, options["png"])
            except OSError as error:
                raise CommandError(f"The picture cannot be written: {error}") from None

    def _score(self, source: _Source, runs: list[CandleRun], begin_ms: int | None) -> list[Scored]:
        scored: list[Scored] = []
        with Progress(
            TextColumn("Scoring {task.completed:,} candles"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not self.stderr.isatty(),
            transient=True,
        ) as progress:
            for run in runs:
                task = progress.add_task("", total=len(run.candles))
                scored += score_outcomes(
                    source.instrument,
                    source.parameters,
                    run.candles,
                    run.spread,
                    history=source.history,
                    decide_from_ms=begin_ms,
                    on_progress=lambda done, task=task: progress.update(task, completed=done),  # type: ignore[misc]
                )
        return scored


def _source(options: Mapping[str, Any]) -> _Source:
    """Return what the command line names; raises `CandleFileError` or `CommandError`."""
    is_of_files = bool(options["history"])
    if is_of_files and options["strategy"] is None and options["data_dir"] is None:
        instruments = {one.symbol: one for one in DEFAULT_INSTRUMENTS}
        instrument = _instrument(options["symbol"], instruments)
        series = _series_of_files(options, instrument)
        return _Source(instrument, Parameters(), "the defaults", series)
    with open_database(options["data_dir"], by="reliability"):
        stored = read_stored(options["strategy"] or LIVE)
        instrument = _instrument(options["symbol"], stored.instruments)
        told = read_told(
            instrument.symbol, begin=_moment(options["begin"]), end=_moment(options["end"])
        )
        return _Source(
            instrument=instrument,
            parameters=stored.parameters,
            settings=stored.name,
            series=(
                _series_of_files(options, instrument)
                if is_of_files
                else stored_series(instrument, Timeframe.M15)
            ),
            history={} if is_of_files else _stored_history(instrument.symbol),
            live=live_reliability(told),
            is_of_files=is_of_files,
            is_made_up=is_simulated(instrument.symbol),
        )


def _series_of_files(options: Mapping[str, Any], instrument: Instrument) -> Series:
    paths = candle_paths(
        options["history"],
        symbol=instrument.symbol,
        timeframe=Timeframe.M15,
        source_timezone=options["source_timezone"],
    )
    return read_series(paths, instrument)


def _stored_history(symbol: str) -> dict[Timeframe, Candles]:
    longer = (Timeframe.H1, Timeframe.H4)
    return {timeframe: stored_candles(symbol, timeframe) for timeframe in longer}


def _runs_in_span(series: Series, begin_ms: int | None, end_ms: int | None) -> list[CandleRun]:
    runs = [_until(run, end_ms) for run in series.runs]
    return [
        run
        for run in runs
        if len(run.candles) and (begin_ms is None or int(run.candles.time_ms[-1]) >= begin_ms)
    ]


def _nothing(source: _Source) -> str:
    nothing = f"There are no M15 candles of {source.instrument.symbol} in that span."
    return "\n".join(source.series.left_out) or nothing


def _as_json(source: _Source, runs: Sequence[CandleRun], found: Reliability) -> dict[str, Any]:
    return {
        "symbol": source.instrument.symbol,
        "settings": source.settings,
        "threshold": source.parameters.threshold,
        "data": [*(run.description for run in runs), *source.series.left_out],
        **reliability_as_json(found),
        "live": None if source.live is None else live_as_json(source.live),
        "is_simulated": source.is_made_up,
    }


def _print(
    console: Console, source: _Source, runs: Sequence[CandleRun], found: Reliability
) -> None:
    def say(*lines: str) -> None:
        for line in lines:
            console.print(line, soft_wrap=True)

    if source.is_made_up and not source.is_of_files:
        say(_MADE_UP)
    say(
        f"{source.instrument.symbol}, scored by {source.settings}",
        *(run.description for run in runs),
    )
    say(*(f"Left out: {each}" for each in source.series.left_out))
    if runs:
        say("", *found.verdicts, "")
        console.print(_table(found))
        say("", *(f"- {band.text}" for band in found.bands), "", *found.notes, _LEGEND)
        say(
            f"{found.signals:,} signals; wherever they are counted, those that overlap one before "
            "of the same direction are left out."
        )
    if source.live is not None and source.live.bands:
        say("", *([_MADE_UP] if source.is_made_up and source.is_of_files else []))
        say("What the live signals really did:")
        console.print(_live_table(source.live))
        say(source.live.verdict)


_MADE_UP = "SIMULATED FEED: the database's prices are made up, and so is what follows from them."
_LEGEND = (
    "won: +1 R before -1 R within 48 candles of M15, spread paid; mean R: of the trades as the "
    "product manages them."
)


def _table(found: Reliability) -> Table:
    table = _empty_table("n", "won", "won %", "95 %", "random %", "mean R")
    for band in found.bands:
        table.add_row(
            f"{band.from_score:g}-{band.to_score:g}",
            f"{band.n:,}",
            f"{band.wins:,}",
            _percent(band.share),
            _interval(band.low, band.high),
            _percent(band.random_share),
            "-" if band.mean_r is None else f"{band.mean_r:+.2f}",
        )
    return table


def _live_table(live: Live) -> Table:
    table = _empty_table("signals", "trades over", "made money", "95 %", "mean R")
    for band in live.bands:
        table.add_row(
            f"{band.from_score:g}-{band.to_score:g}",
            f"{band.told:,}",
            f"{band.closed:,}",
            f"{band.wins:,}",
            _interval(band.low, band.high),
            "-" if band.mean_r is None else f"{band.mean_r:+.2f}",
        )
    return table


def _empty_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


#: How far signals and random entries stand apart in the picture.
_BESIDE = 0.08


def _draw(found: Reliability, source: _Source, file: Path) -> None:
    """Draw each band's share of wins with its interval, and the random entries' beside it."""
    # Here: it takes a second to import, and few ask for a picture.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    shown = [
        (place, band)
        for place, band in enumerate(found.bands)
        # An interval over half the picture says nothing but that there were few.
        if band.n >= MINIMUM_OUTCOMES
    ]
    shares = [100 * (band.share or 0) for _, band in shown]
    axes.errorbar(
        [place - _BESIDE for place, _ in shown],
        shares,
        yerr=[
            [share - 100 * (band.low or 0) for share, (_, band) in zip(shares, shown, strict=True)],
            [
                100 * (band.high or 0) - share
                for share, (_, band) in zip(shares, shown, strict=True)
            ],
        ],
        fmt="o",
        capsize=4,
        label="signals, 95 % interval",
    )
    axes.plot(
        [place + _BESIDE for place, _ in shown],
        [100 * (band.random_share or 0) for _, band in shown],
        "x",
        color="tab:orange",
        label="matched random entries",
    )
    names = [
        f"{band.from_score:g}-{band.to_score:g}\nn={band.n:,}"
        + ("" if band.n >= MINIMUM_OUTCOMES else ", too few")
        for band in found.bands
    ]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel("confluence score")
    axes.set_ylabel("+1 R before -1 R, %")
    figure.suptitle(f"{source.instrument.symbol}: do higher scores do better?")
    axes.set_title("\n".join(wrap(found.verdicts[0].partition("? ")[2], 95)), fontsize="small")
    axes.axhline(50, color="tab:gray", linewidth=0.8, linestyle=":", label="a coin without costs")
    # As far on every picture, so that small differences look small.
    axes.set_ylim(min(20, *axes.get_ylim()), max(80, *axes.get_ylim()))
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(file, dpi=120, format="png")


def _until(run: CandleRun, end_ms: int | None) -> CandleRun:
    if end_ms is None:
        return run
    return run.part(0, int((run.candles.time_ms < end_ms).sum()))


def _instrument(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument:
    if symbol in instruments:
        return instruments[symbol]
    known = ", ".join(instruments)
    raise CommandError(
        f"{symbol} is no instrument that is known here; known are {known}.", returncode=2
    )


def _day(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day like 2013-01-31") from None
    return milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _picture(text: str) -> Path:
    # Before minutes are spent on what then could not be drawn.
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no directory {path.parent}; make it first")
    return path


def _moment(time_ms: int | None) -> datetime | None:
    return None if time_ms is None else utc(time_ms)


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{100 * low:.0f}-{100 * high:.0f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
