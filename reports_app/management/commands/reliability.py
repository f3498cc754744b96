"""`manage.py reliability`: did higher confluence scores do better, and better than chance?"""

import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reports_app.backtest.reliability import (
    Reliability,
    Scored,
    reliability,
    reliability_as_json,
    score_outcomes,
)
from signals_app.confluence.parameters import Parameters
from signals_app.importers.candle_files import CandleFileError
from signals_app.importers.candle_series import Run, candle_paths, read_series
from signals_app.market.calendar import iso, milliseconds
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument


class Command(BaseCommand):
    """Scores every close of M15 candles by the live engine; needs no database."""

    help = "Say, band by band, whether higher scores did better than lower and random ones."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the candles, the span that counts, and where to put the answer."""
        parser.add_argument(
            "history", type=Path, nargs="+", help="M15 candle files, or directories of them"
        )
        parser.add_argument("--symbol", default="XAUUSD")
        parser.add_argument("--source-timezone", default="utc", help="as calibrate has it")
        parser.add_argument("--from", type=_day, dest="begin", help="first day (UTC)")
        parser.add_argument("--to", type=_day, dest="end", help="first day that does not count")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument("--png", type=Path, metavar="FILE", help="draw the bands as well")

    def handle(self, **options: Any) -> None:
        """Score, compare, tell."""
        instrument = _instrument(options["symbol"])
        try:
            paths = candle_paths(
                options["history"],
                symbol=instrument.symbol,
                timeframe=Timeframe.M15,
                source_timezone=options["source_timezone"],
            )
            runs = [
                _until(run, options["end"])
                for run in read_series(paths, instrument).runs
                if options["begin"] is None or int(run.candles.time_ms[-1]) >= options["begin"]
            ]
        except CandleFileError as error:
            raise CommandError(str(error), returncode=2) from None
        runs = [run for run in runs if len(run.candles)]
        if not runs:
            raise CommandError(
                f"There are no M15 candles of {instrument.symbol} in that span.", returncode=2
            )
        scored = self._score(instrument, runs, options["begin"])
        found = reliability(scored, Parameters().threshold)
        if options["png"] is not None:
            _draw(found, instrument.symbol, options["png"])
        if options["json"]:
            told = {"symbol": instrument.symbol, "signals": len(scored), "data": _data(runs)}
            self.stdout.write(json.dumps(told | reliability_as_json(found)))
            return
        _print(Console(file=cast("IO[str]", self.stdout), highlight=False), found, scored, runs)

    def _score(self, instrument: Instrument, runs: list[Run], begin_ms: int | None) -> list[Scored]:
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
                    instrument,
                    Parameters(),
                    run.candles,
                    run.spread,
                    decide_from_ms=begin_ms,
                    on_progress=lambda done, task=task: progress.update(task, completed=done),  # type: ignore[misc]
                )
        return scored


def _print(console: Console, found: Reliability, scored: list[Scored], runs: list[Run]) -> None:
    console.print("\n".join(_data(runs)), soft_wrap=True)
    console.print(f"{len(scored):,} signals that do not overlap within their band and direction")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", no_wrap=True)
    for name in ("n", "won", "won %", "95 %", "random %", "mean R"):
        table.add_column(name, justify="right", no_wrap=True)
    for band in found.bands:
        interval = (
            "-"
            if band.low is None or band.high is None
            else f"{100 * band.low:.0f}-{100 * band.high:.0f}"
        )
        table.add_row(
            f"{band.from_score:g}-{band.to_score:g}",
            f"{band.n:,}",
            f"{band.wins:,}",
            _percent(band.share),
            interval,
            _percent(band.random_share),
            "-" if band.mean_r is None else f"{band.mean_r:+.2f}",
        )
    console.print(table)
    for verdict in found.verdicts:
        console.print(verdict, soft_wrap=True)
    console.print(
        "won: +1 R before -1 R within 48 candles of M15, spread paid; mean R: of the trades as the "
        "product manages them.",
        soft_wrap=True,
    )


def _draw(found: Reliability, symbol: str, file: Path) -> None:
    """Draw each band's share of wins with its interval, and the random entries' beside it."""
    # Here: it takes a second to import, and few ask for a picture.
    from matplotlib.figure import Figure

    bands = [band for band in found.bands if band.share is not None]
    places = range(len(bands))
    shares = [100 * (band.share or 0) for band in bands]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.errorbar(
        places,
        shares,
        yerr=[
            [share - 100 * (band.low or 0) for share, band in zip(shares, bands, strict=True)],
            [100 * (band.high or 0) - share for share, band in zip(shares, bands, strict=True)],
        ],
        fmt="o",
        capsize=4,
        label="signals, 95 % interval",
    )
    random = [100 * (band.random_share or 0) for band in bands]
    axes.plot(places, random, "x", color="tab:gray", label="matched random entries")
    names = [f"{band.from_score:g}-{band.to_score:g}\nn={band.n:,}" for band in bands]
    axes.set_xticks(list(places), names)
    axes.set_xlabel("confluence score")
    axes.set_ylabel("+1 R before -1 R, %")
    axes.set_title(f"{symbol}: do higher scores do better?")
    axes.legend()
    figure.savefig(file, dpi=120)


def _data(runs: list[Run]) -> list[str]:
    return [
        f"{run.name}: {len(run.candles):,} candles, {iso(int(run.candles.time_ms[0]))} to "
        f"{iso(int(run.candles.time_ms[-1]))}"
        for run in runs
    ]


def _until(run: Run, end_ms: int | None) -> Run:
    if end_ms is None:
        return run
    count = int((run.candles.time_ms < end_ms).sum())
    return Run(run.name, run.candles.part(0, count), run.spread[:count])


def _instrument(symbol: str) -> Instrument:
    for instrument in DEFAULT_INSTRUMENTS:
        if instrument.symbol == symbol:
            return instrument
    known = ", ".join(instrument.symbol for instrument in DEFAULT_INSTRUMENTS)
    raise CommandError(f"{symbol} is no instrument that is known here; known are {known}.")


def _day(text: str) -> int:
    day = date.fromisoformat(text)
    return milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
