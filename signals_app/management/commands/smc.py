"""`manage.py smc`: the detectors on a file of candles."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from signals_app.importers.candle_files import CandleFileError, read_candles
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.smc.analysis import Analysis, analyse, as_json

_NEWEST = 10


class Command(BaseCommand):
    """Reads candles, prints what the detectors find in them; needs no database."""

    help = "Find swings, gaps, order blocks, structure and liquidity in a file of candles."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, what it holds and how to print."""
        parser.add_argument("file", help="candles: ISO CSV, MetaTrader 5 or Dukascopy export, .gz")
        parser.add_argument("--symbol", required=True, help="for example XAUUSD")
        parser.add_argument("--timeframe", required=True, choices=[str(name) for name in Timeframe])
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
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
            _Page(console, options["symbol"], candles).show(analysis, options["timeframe"])


class _Page:
    """What a trader looks for first: the trend, and what still stands near the last close."""

    def __init__(self, console: Console, symbol: str, candles: Candles) -> None:
        self.console = console
        self.symbol = symbol
        self.candles = candles
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
            ("time", "direction", "bottom", "top", "strength", "filled"),
            (
                (
                    self.time(gap.index),
                    gap.direction,
                    self.price(gap.bottom),
                    self.price(gap.top),
                    f"{gap.strength:.0f}",
                    f"{gap.fill:.0%}",
                )
                for gap in [gap for gap in analysis.gaps if gap.filled_at is None][-_NEWEST:]
            ),
        )
        blocks = [block for block in analysis.order_blocks if block.invalidated_at is None]
        self.table(
            "Order blocks that hold",
            ("time", "direction", "bottom", "top", "score", "touched"),
            (
                (
                    self.time(block.index),
                    block.direction,
                    self.price(block.bottom),
                    self.price(block.top),
                    f"{block.score:.2f}",
                    "-" if block.touched_at is None else self.time(block.touched_at),
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
            ("time", "reversal", "kind", "price", "score"),
            (
                (
                    self.time(sweep.index),
                    sweep.direction,
                    sweep.kind,
                    self.price(sweep.price),
                    f"{sweep.score:.2f}",
                )
                for sweep in analysis.sweeps[-_NEWEST:]
            ),
        )

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
