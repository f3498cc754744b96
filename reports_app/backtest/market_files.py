"""Market files opened as the engine takes them: candles in columns, or ticks in batches."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from reports_app.backtest.columns import CandleLog
from reports_app.backtest.engine import run, run_on_candles
from reports_app.backtest.result import BacktestResult
from signals_app.confluence.parameters import Parameters
from signals_app.importers.candle_files import CandleFile, MarketFileError, read_candle_file
from signals_app.importers.history_files import (
    parse_candle_name,
    read_history_files,
    two_of_one,
)
from signals_app.importers.progress import OnProgress, no_progress
from signals_app.importers.rate_files import rate_files, read_rates
from signals_app.importers.tick_files import open_ticks, read_ticks, rereadable
from signals_app.market.calendar import iso
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.conversion import NO_RATES, DailyRates, NoRate, rate_pair
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Ticks

__all__ = (
    "BadInput",
    "Market",
    "MarketFileError",
    "MarketRun",
    "fingerprint",
    "fingerprints",
    "open_market",
)

_History = Mapping[Timeframe, Candles]
#: Called with how many bytes of a file are read.
OnRead = Callable[[int], None]
#: Called with how many ticks are left out.
OnRefused = Callable[[int], None]
_CHUNK = 1 << 20


class BadInput(Exception):  # noqa: N818 - it names what happened
    """What was asked for cannot be done; the sentence says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A file ready to be run, as often as one likes.

    It has either `candles` with their `spreads` (price), or `batches`, which reads the ticks anew
    with every call; `of_minutes` where those are M1 candles, four to each. `assumed` says how the
    file was understood; closes before `decide_from_ms` only fill the windows.
    """

    path: Path
    instrument: Instrument
    history: _History
    decide_from_ms: int | None
    assumed: str
    candles: Candles | None = None
    spreads: Float64s | None = None
    batches: Callable[[OnRefused, OnRead], Iterator[Ticks]] | None = None
    of_minutes: bool = False
    rates: DailyRates = NO_RATES

    def run(
        self,
        parameters: Parameters,
        on_progress: OnProgress = no_progress,
        log: CandleLog | None = None,
        *,
        workers: int = 1,
        described: bool = True,
    ) -> BacktestResult:
        """Run the engine over it; ``log`` keeps the M15 candles where it reads ticks.

        ``workers`` are the threads that plan closes; any number gives the same result. Signals have
        their texts if ``described``.
        """
        if self.candles is not None and self.spreads is not None:
            total = len(self.candles)
            return run_on_candles(
                self.instrument,
                parameters,
                self.candles,
                self.spreads,
                self.history,
                decide_from_ms=self.decide_from_ms,
                on_progress=lambda count: on_progress(count, total, f"{count:,} candles"),
                workers=workers,
                rates=self.rates,
                described=described,
            )
        assert self.batches is not None
        batches, refused = self.batches, [0]
        size = rereadable(self.path).stat().st_size

        def on_refused(count: int) -> None:
            refused[0] += count

        result = run(
            self.instrument,
            parameters,
            _counted(partial(batches, on_refused), size, on_progress),
            self.history,
            decide_from_ms=self.decide_from_ms,
            log=log,
            of_minutes=self.of_minutes,
            workers=workers,
            rates=self.rates,
            described=described,
        )
        return replace(result, ticks_refused=refused[0])

    def run_with_candles(
        self, parameters: Parameters, on_progress: OnProgress = no_progress, *, workers: int = 1
    ) -> "MarketRun":
        """Run the engine over it and keep the candles, for what is asked about them afterwards."""
        log = CandleLog()
        result = self.run(parameters, on_progress, log, workers=workers)
        if self.candles is not None and self.spreads is not None:
            return MarketRun(self, result, self.candles, self.spreads)
        return MarketRun(self, result, log.candles(), log.spreads())


@dataclass(frozen=True, slots=True, eq=False)
class MarketRun:
    """A market that was run: the result, and the candles with the spread (price) at each one's end.

    The candles are the file's own, or those of M15 that its ticks made.
    """

    market: Market
    result: BacktestResult
    candles: Candles
    spreads: Float64s


def open_market(
    *,
    instrument: Instrument,
    ticks: Path | None = None,
    candles: Path | None = None,
    history: Path | None = None,
    source_timezone: str = "utc",
    begin_ms: int | None = None,
    end_ms: int | None = None,
    rates: Path | None = None,
) -> Market:
    """Open a file of ticks or of candles as a market; nothing at or after ``end_ms`` is read.

    ``rates`` holds candles of the instrument's rate pair, where it has one; without it ``history``.
    Raises `BadInput` or `MarketFileError`, each a sentence for the user.
    """
    files = read_history_files(_history_files(history, instrument.symbol), source_timezone)
    before, built = files.candles, files.description
    pair_files = _rate_files(instrument, rates or history)
    daily = read_rates(pair_files, source_timezone) if pair_files else NO_RATES
    if pair_files:
        names = ", ".join(path.name for path in pair_files.values())
        built += f"; money is exchanged by {names}, at the last price before each UTC day"
    if ticks is None:
        if candles is None:
            raise BadInput("A file of ticks or of candles is needed.")
        file = read_candle_file(candles, source_timezone)
        step = _timeframe(file)
        if step is not Timeframe.M1:
            columns, spreads = _until(file.candles, file.spreads(instrument), end_ms)
            return Market(
                candles,
                instrument,
                before,
                begin_ms,
                f"{step} candles, {file.assumed}; {file.spread_form(instrument).describe()}; "
                f"where one candle holds stop and target, the stop came first{built}",
                candles=columns,
                spreads=spreads,
                rates=daily,
            )
        # A file of M1 candles serves as ticks, four to a candle.
        ticks = candles
    path, reading = ticks, _reading(instrument, source_timezone)
    opened = open_ticks(path, **reading)
    return Market(
        path,
        instrument,
        before,
        begin_ms,
        opened.assumed + built,
        batches=lambda on_refused, on_read: _ticks_until(
            read_ticks(path, **reading, on_read=on_read, on_refused=on_refused), end_ms
        ),
        of_minutes=opened.is_of_candles,
        rates=daily,
    )


def fingerprint(path: Path) -> str:
    """The SHA-256 of the file's bytes; raises `BadInput`."""
    digest = hashlib.sha256()
    try:
        with rereadable(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()


def fingerprints(
    path: Path, history: Path | None, rates: Path | None, instrument: Instrument
) -> dict[str, str]:
    """The SHA-256 of every file that a market is read from: its own, history's and rates'.

    Raises `BadInput`.
    """
    read = [
        path,
        *_history_files(history, instrument.symbol).values(),
        *_rate_files(instrument, rates or history).values(),
    ]
    return {str(each): fingerprint(each) for each in read}


def _reading(instrument: Instrument, source_timezone: str) -> dict[str, Any]:
    return {
        "symbol": instrument.symbol,
        "source_timezone": source_timezone,
        "default_spread": instrument.default_spread,
        "digits": instrument.digits,
    }


def _timeframe(file: CandleFile) -> Timeframe:
    """Return the timeframe of candles that signals can be made of, once each one fits it."""
    step = file.timeframe
    if step is not None:
        file.check(step, allows_broker_clock=step.milliseconds > Timeframe.M15.milliseconds)
    if step is None or step.milliseconds > Timeframe.M15.milliseconds:
        what = "" if step is None else f"candles of {step} and "
        raise BadInput(
            f"{file.path} holds {what}no candles of M15 or shorter; signals are made on M15."
        )
    return step


def _history_files(place: Path | None, symbol: str) -> dict[Timeframe, Path]:
    if place is None:
        return {}
    if not place.exists():
        raise BadInput(f"The history {place} does not exist; name another with --history.")
    files: dict[Timeframe, Path] = {}
    for file in sorted(place.iterdir()) if place.is_dir() else [place]:
        named = parse_candle_name(file.name)
        if named is not None and named.symbol == symbol:
            files.setdefault(Timeframe(named.timeframe), file)
    if not files:
        raise BadInput(f"The history {place} holds no file named like {symbol}_M15.csv.gz.")
    twice = two_of_one(sorted(place.glob(f"{symbol}_*"))) if place.is_dir() else None
    if twice is not None:
        raise BadInput(
            f"The history {place} holds {twice[0].name} and {twice[1].name}, which are of one "
            "timeframe; keep one of them there."
        )
    return files


def _rate_files(instrument: Instrument, place: Path | None) -> dict[Timeframe, Path]:
    """The files of the instrument's rate pair; none where it needs none."""
    try:
        pair = rate_pair(instrument)
    except NoRate as unknown:
        raise BadInput(f"{unknown}.") from None
    if pair is None:
        return {}
    needed = (
        f"{instrument.symbol} is quoted in {instrument.quote_currency}: give candles of "
        f"{pair.symbol}, from a week before the file on, with --rates"
    )
    if place is None:
        raise BadInput(f"{needed}.")
    try:
        return rate_files(place, pair)
    except (MarketFileError, OSError) as error:
        raise BadInput(f"{needed}; {error}") from None


def _until(candles: Candles, spreads: Float64s, end_ms: int | None) -> tuple[Candles, Float64s]:
    if end_ms is None:
        return candles, spreads
    count = int(np.searchsorted(candles.time_ms, end_ms))
    return candles.part(0, count), spreads[:count]


def _ticks_until(batches: Iterator[Ticks], end_ms: int | None) -> Iterator[Ticks]:
    for ticks in batches:
        if end_ms is not None and len(ticks) and int(ticks.time_ms[-1]) >= end_ms:
            yield ticks.part(0, int(np.searchsorted(ticks.time_ms, end_ms)))
            return
        yield ticks


def _counted(
    batches: Callable[[OnRead], Iterator[Ticks]], size: int, on_progress: OnProgress
) -> Iterator[Ticks]:
    """Yield the batches and report progress in bytes: how many ticks a file holds is not known."""
    count, seen = 0, "0 ticks"
    read = 0

    def on_read(position: int) -> None:
        # What lies before this part is done; the part itself is about to be.
        nonlocal read
        on_progress(read, size, seen)
        read = position

    for ticks in batches(on_read):
        yield ticks
        count += len(ticks)
        seen = f"{count:,} ticks"
        if len(ticks):
            seen += f", {iso(int(ticks.time_ms[-1]))[:16].replace('T', ' ')}"
    on_progress(size, size, seen)
