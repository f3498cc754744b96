"""The page of `manage.py smc`: the trend, and what still stands near the last close."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from signals_app.market.built_in import known_instrument
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import PRICE_DECIMALS
from signals_app.probability.estimate import Measured
from signals_app.services.probabilities import FindingProbabilities
from signals_app.smc.views import WindowAnalysis

#: Rows of a table: what a trader looks at is near the last close.
_NEWEST = 10
_WIDTH = 130
_PROBABILITY_COLUMNS = ("probability, 95 %", "n", "random")


@dataclass(frozen=True, slots=True)
class SmcPage:
    """An analysis and its candles; `note` says where the probabilities are from, or why not."""

    symbol: str
    timeframe: Timeframe
    candles: Candles
    analysis: WindowAnalysis
    probabilities: FindingProbabilities
    note: str

    def print_on(self, console: Console) -> None:
        """Print the page; in a narrower window lines break, but no figure of a table is cut."""
        console.width = max(console.width, _WIDTH)
        console.print(self._head(), highlight=False, soft_wrap=True)
        for table in (self._breaks(), self._gaps(), self._blocks(), self._pools(), self._sweeps()):
            console.print(table)
        console.print(self.note, highlight=False, soft_wrap=True)

    def _head(self) -> str:
        found, last = self.analysis, self.candles[-1]
        position = "no dealing range" if found.position is None else f"{found.position:z.2f}"
        return (
            f"{self.symbol} {self.timeframe}: {found.candles:,} candles, {iso(last.time_ms)} "
            f"closed at {self._price(last.close)}\n"
            f"trend {found.trend} (strength {found.trend_strength:z.0f} of 100), "
            f"position in the dealing range: {position} (0 low, 1 high)\n"
            f"found: {len(found.swings):,} swings, {len(found.gaps):,} fair value gaps, "
            f"{len(found.order_blocks):,} order blocks, {len(found.breaks):,} breaks, "
            f"{len(found.pools):,} pools, {len(found.sweeps):,} sweeps"
        )

    def _breaks(self) -> Table:
        return _table(
            "Breaks of structure",
            ("time", "kind", "direction", "level"),
            (
                (self._time(each.index), each.kind, each.direction, self._price(each.level))
                for each in self.analysis.breaks[-_NEWEST:]
            ),
        )

    def _gaps(self) -> Table:
        return _table(
            "Fair value gaps not filled",
            ("time", "direction", "bottom", "top", "strength", "filled", *_PROBABILITY_COLUMNS),
            (
                (
                    self._time(gap.index),
                    gap.direction,
                    self._price(gap.bottom),
                    self._price(gap.top),
                    f"{gap.strength:z.0f}",
                    f"{gap.fill:.0%}",
                    *_cells(self.probabilities.of_gap(gap.direction, gap.strength)),
                )
                for gap in [gap for gap in self.analysis.gaps if gap.filled_at is None][-_NEWEST:]
            ),
        )

    def _blocks(self) -> Table:
        hold = [block for block in self.analysis.order_blocks if block.invalidated_at is None]
        return _table(
            "Order blocks that hold",
            ("time", "direction", "bottom", "top", "score", "touched", *_PROBABILITY_COLUMNS),
            (
                (
                    self._time(block.index),
                    block.direction,
                    self._price(block.bottom),
                    self._price(block.top),
                    f"{block.score:z.2f}",
                    "-" if block.touched_at is None else self._time(block.touched_at),
                    *_cells(self.probabilities.of_order_block(block.direction, block.score)),
                )
                for block in hold[-_NEWEST:]
            ),
        )

    def _pools(self) -> Table:
        rest = [pool for pool in self.analysis.pools if pool.taken_at is None]
        return _table(
            "Liquidity that rests",
            ("since", "side", "kind", "price", "touches"),
            (
                (
                    self._time(pool.created_at),
                    pool.side,
                    pool.kind,
                    self._price(pool.price),
                    str(pool.touches),
                )
                for pool in rest[-_NEWEST:]
            ),
        )

    def _sweeps(self) -> Table:
        return _table(
            "Sweeps",
            ("time", "reversal", "kind", "price", "score", *_PROBABILITY_COLUMNS),
            (
                (
                    self._time(sweep.index),
                    sweep.direction,
                    sweep.kind,
                    self._price(sweep.price),
                    f"{sweep.score:z.2f}",
                    *_cells(self.probabilities.of_sweep(sweep.kind, sweep.direction, sweep.score)),
                )
                for sweep in self.analysis.sweeps[-_NEWEST:]
            ),
        )

    def _time(self, index: int) -> str:
        return iso(int(self.candles.time_ms[index]))

    def _price(self, price: float) -> str:
        known = known_instrument(self.symbol)
        return f"{price:,.{known.digits if known else PRICE_DECIMALS}f}"


def sample_note(known: FindingProbabilities, symbol: str, timeframe: Timeframe) -> str:
    """The sentence that says which history the probabilities are from, and how to read them."""
    if known.data_to is None:
        return (
            f"Probabilities are not measured: no calibration of {symbol} {timeframe} is on data "
            "that ended before the last candle."
        )
    return (
        f"Probabilities, measured on data until {known.data_to:%Y-%m-%d}: how often +1 R came "
        "before -1 R within 48 candles, spread paid, when price first came back to such a zone, or "
        "after such a sweep; with Wilson's 95 % interval of n outcomes, beside random entries of "
        "the same direction, hour and distances."
    )


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=f"{title} (the newest {_NEWEST})", title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table


def _cells(measured: Measured | None) -> Iterator[str]:
    if measured is None:
        yield from ("not measured", "", "")
        return
    yield f"{measured.p:.0%} [{100 * measured.low:z.0f}-{100 * measured.high:z.0f}]"
    yield f"{measured.n:,}"
    yield "-" if measured.random is None else f"{measured.random:.0%}"
