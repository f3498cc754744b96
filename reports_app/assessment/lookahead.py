"""The look-ahead check: a file is cut short, and nothing that was known by then may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reports_app.assessment.shortened_copies import shortened_copy
from reports_app.assessment.truncation import CutComparison, compare, cut_places
from reports_app.backtest.market_files import (
    BadInput,
    MarketFileError,
    MarketRun,
    open_market,
)
from signals_app.confluence.parameters import Parameters
from signals_app.importers.progress import OnProgress


@dataclass(frozen=True, slots=True)
class Cut:
    """One shortened copy: its rows, when its data ended (Unix ms), and what its run compared to.

    `is_after_signal` says that it was cut just behind the entry of one of the whole file's signals.
    """

    rows: int
    ended_ms: int
    is_after_signal: bool
    comparison: CutComparison


def check_lookahead(
    market: Mapping[str, Any],
    parameters: Parameters,
    *,
    cuts: int,
    seed: int,
    on_progress: OnProgress,
    workers: int = 1,
) -> list[Cut]:
    """Run the whole file, then ``cuts`` shortened copies; the first that differs is the last.

    ``market`` are the arguments of `open_market`; the same ``seed`` cuts at the same places. Copies
    too short to be read are left out; ``workers`` as in `Market.run`. Raises `BadInput` where there
    is nothing to compare, and as `open_market` does.
    """
    whole = _run(market, parameters, on_progress, workers, "of the whole file")
    rows = _rows(whole)
    if rows < 2:
        raise BadInput(f"{whole.market.path} is too short to be shortened.")
    entries = [_row_of(whole, signal.entry_ordinal) for signal in whole.result.signals]
    places = cut_places(entries, rows, cuts, seed=seed)
    done = list[Cut]()
    with TemporaryDirectory() as directory:
        for number, place in enumerate(places, 1):
            copy = shortened_copy(whole.market.path, place, Path(directory))
            which = f"of copy {number} of {len(places)}"
            try:
                part = _run(_with_file(market, copy), parameters, on_progress, workers, which)
            except (BadInput, MarketFileError):
                # A few rows are no file of their own: no signal, so none too early.
                continue
            if part.result.last_time_ms is None:
                continue
            comparison = compare(
                whole.result, part.result, _last_ordinal(part), whole.candles, part.candles
            )
            is_after_signal = _rows(part) in entries
            done.append(Cut(place, part.result.last_time_ms, is_after_signal, comparison))
            if comparison.difference is not None:
                return done
    if not _is_anything_compared(done):
        raise BadInput(
            f"There is nothing to compare: {whole.market.path}, shortened, gave no signal and no "
            "finding of the detectors. Nothing is proven; give a longer file."
        )
    return done


def _run(
    market: Mapping[str, Any],
    parameters: Parameters,
    on_progress: OnProgress,
    workers: int,
    which: str,
) -> MarketRun:
    return open_market(**market).run_with_candles(
        parameters,
        lambda done, total, what: on_progress(done, total, f"{what} {which}"),
        workers=workers,
    )


def _with_file(market: Mapping[str, Any], path: Path) -> dict[str, Any]:
    source = "ticks" if market["ticks"] is not None else "candles"
    return {**market, source: path}


def _is_anything_compared(cuts: Sequence[Cut]) -> bool:
    return any(cut.comparison.signals + cut.comparison.findings for cut in cuts)


def _rows(run: MarketRun) -> int:
    """How many of the file's rows were used; ticks that were refused do not count."""
    return _row_of(run, _last_ordinal(run))


def _last_ordinal(run: MarketRun) -> int:
    """The number of the last quote; the open and the end of a candle are a quote each."""
    if run.market.candles is not None:
        return 2 * len(run.market.candles) - 1
    return run.result.ticks


def _row_of(run: MarketRun, ordinal: int) -> int:
    """The row that holds the quote of this number."""
    if run.market.candles is not None:
        return (ordinal + 1) // 2
    return -(-ordinal // 4) if run.market.of_minutes else ordinal
