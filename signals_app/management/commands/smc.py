"""`manage.py smc`: the detectors on a file of candles, and what such findings were worth."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from signals_app.importers.candle_files import CandleFileError, read_candles
from signals_app.management.database import open_database
from signals_app.market.calendar import iso, utc
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.probability.estimate import Measured
from signals_app.services.calibration import Worth, worth_of
from signals_app.smc.analysis import Analysis, analyse, as_json

_NEWEST = 10
_WIDTH = 130
_WORTH = ("probability, 95 %", "n", "random")


class Command(BaseCommand):
    """Reads candles, prints what the detectors find in them; needs no database.

    Where there is one, the page for people says what was measured of such findings.
    """

    help = "Find swings, gaps, order blocks, structure and liquidity in a file of candles."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, what it holds and how to print."""
        parser.add_argument("file", help="candles: ISO CSV, MetaTrader 5 or Dukascopy export, .gz")
        parser.add_argument("--symbol", required=True, help="for example XAUUSD")
        parser.add_argument("--timeframe", required=True, choices=[str(name) for name in Timeframe])
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--data-dir",
            type=Path,
            help="an embedded stack's data directory, whose measured probabilities are shown",
        )
        parser.add_argument(
            "--source-timezone",
            default="utc",
            help="clock of times without an offset: utc (default), server-eu, server-us, "
            "an IANA name or +02:00",
        )

    def handle(self, **options: Any) -> None:
        """Analyse the whole file as one window."""
        try:
            candles = read_candles(options["file"], options["source_timezone"])
        except CandleFileError as error:
            raise CommandError(str(error), returncode=2) from None
        analysis = analyse(candles)
        if options["json"]:
            found = as_json(analysis, options["symbol"], Timeframe(options["timeframe"]))
            self.stdout.write(json.dumps(found))
        else:
            console = Console(file=cast("IO[str]", self.stdout))
            console.width = max(console.width, _WIDTH)
            opened = utc(int(candles.time_ms[-1]))
            measured = _measured(options, ended_by=opened)
            _Page(console, options["symbol"], candles, measured).show(
                analysis, options["timeframe"]
            )


@dataclass(frozen=True, slots=True)
class _Measured:
    """What findings are worth, and in words where that comes from."""

    worth: Worth
    text: str


def _measured(options: Mapping[str, Any], *, ended_by: datetime) -> _Measured:
    """Return what was measured before the last candle, or why nothing was."""
    try:
        with open_database(options["data_dir"], by="smc"):
            worth = worth_of(options["symbol"], options["timeframe"], ended_by=ended_by)
    except CommandError as refusal:
        if options["data_dir"] is not None:
            raise
        return _Measured(Worth(), f"Probabilities are not measured here: {refusal}")
    if worth.data_to is None:
        nothing = (
            f"Probabilities are not measured: no calibration of {options['symbol']} "
            f"{options['timeframe']} is on data that ended before the last candle."
        )
        return _Measured(worth, nothing)
    return _Measured(
        worth,
        f"Probabilities, measured on data until {worth.data_to:%Y-%m-%d}: how often +1 R came "
        "before -1 R within 48 candles, spread paid, when price first came back to such a zone, or "
        "after such a sweep; with Wilson's 95 % interval of n outcomes, beside random entries of "
        "the same direction, hour and distances.",
    )


class _Page:
    """What a trader looks for first: the trend, and what still stands near the last close."""

    def __init__(
        self, console: Console, symbol: str, candles: Candles, measured: _Measured
    ) -> None:
        self.console = console
        self.symbol = symbol
        self.candles = candles
        self.measured = measured
        self.worth = measured.worth
        self.digits = next((i.digits for i in DEFAULT_INSTRUMENTS if i.symbol == symbol), 5)

    def show(self, analysis: Analysis, timeframe: str) -> None:
        last = self.candles[-1]
        position = "no dealing range" if analysis.position is None else f"{analysis.position:.2f}"
        self.console.print(
            f"{self.symbol} {timeframe}: {analysis.candles:,} candles, {iso(last.time_ms)} "
            f"closed at {self.price(last.close)}\n"
            f"trend {analysis.trend} (strength {analysis.trend_strength:.0f} of 100), "
            f"position in the dealing range: {position} (0 low, 1 high)\n"
            f"found: {len(analysis.swings):,} swings, {len(analysis.gaps):,} fair value gaps, "
            f"{len(analysis.order_blocks):,} order blocks, {len(analysis.breaks):,} breaks, "
            f"{len(analysis.pools):,} pools, {len(analysis.sweeps):,} sweeps",
            highlight=False,
            soft_wrap=True,
        )
        self.table(
            "Breaks of structure",
            ("time", "kind", "direction", "level"),
            (
                (self.time(found.index), found.kind, found.direction, self.price(found.level))
                for found in analysis.breaks[-_NEWEST:]
            ),
        )
        self.table(
            "Fair value gaps not filled",
            ("time", "direction", "bottom", "top", "strength", "filled", *_WORTH),
            (
                (
                    self.time(gap.index),
                    gap.direction,
                    self.price(gap.bottom),
                    self.price(gap.top),
                    f"{gap.strength:.0f}",
                    f"{gap.fill:.0%}",
                    *_told(self.worth.of_gap(gap.direction, gap.strength)),
                )
                for gap in [gap for gap in analysis.gaps if gap.filled_at is None][-_NEWEST:]
            ),
        )
        blocks = [block for block in analysis.order_blocks if block.invalidated_at is None]
        self.table(
            "Order blocks that hold",
            ("time", "direction", "bottom", "top", "score", "touched", *_WORTH),
            (
                (
                    self.time(block.index),
                    block.direction,
                    self.price(block.bottom),
                    self.price(block.top),
                    f"{block.score:.2f}",
                    "-" if block.touched_at is None else self.time(block.touched_at),
                    *_told(self.worth.of_order_block(block.direction, block.score)),
                )
                for block in blocks[-_NEWEST:]
            ),
        )
        self.table(
            "Liquidity that rests",
            ("since", "side", "kind", "price", "touches"),
            (
                (
                    self.time(pool.created_at),
                    pool.side,
                    pool.kind,
                    self.price(pool.price),
                    str(pool.touches),
                )
                for pool in [pool for pool in analysis.pools if pool.taken_at is None][-_NEWEST:]
            ),
        )
        self.table(
            "Sweeps",
            ("time", "reversal", "kind", "price", "score", *_WORTH),
            (
                (
                    self.time(sweep.index),
                    sweep.direction,
                    sweep.kind,
                    self.price(sweep.price),
                    f"{sweep.score:.2f}",
                    *_told(self.worth.of_sweep(sweep.kind, sweep.direction, sweep.score)),
                )
                for sweep in analysis.sweeps[-_NEWEST:]
            ),
        )
        self.console.print(self.measured.text, highlight=False, soft_wrap=True)

    def table(self, title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
        table = Table(title=f"{title} (the newest {_NEWEST})", title_justify="left")
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def time(self, index: int) -> str:
        return iso(int(self.candles.time_ms[index]))

    def price(self, price: float) -> str:
        return f"{price:,.{self.digits}f}"


def _told(measured: Measured | None) -> tuple[str, str, str]:
    if measured is None:
        return "not measured", "", ""
    interval = f"{measured.p:.0%} [{100 * measured.low:.0f}-{100 * measured.high:.0f}]"
    random = "-" if measured.random is None else f"{measured.random:.0%}"
    return interval, f"{measured.n:,}", random
