"""What was known at a moment, by a file's run and by that of a copy that ends there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from reports_app.backtest.columns import resample
from reports_app.backtest.result import BacktestResult
from signals_app.confluence.signal import TradingSignal
from signals_app.market.candle import TIMEFRAMES, WINDOW, Candles
from signals_app.market.encoding import as_json
from signals_app.market.tick import Int64s
from signals_app.smc.analysis import analyse
from signals_app.smc.views import WindowAnalysis

#: Findings are looked at again when so many more candles have come.
LATER_CANDLES = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """Something known by then that later data changed: what it is and what each of both says."""

    what: str
    by_then: str
    afterwards: str


@dataclass(frozen=True, slots=True)
class CutComparison:
    """How much was compared at one cut, and the first thing that differs, `None` where nothing."""

    signals: int
    events: int
    findings: int
    difference: Difference | None


def cut_places(
    signal_places: Sequence[int], length: int, count: int, *, seed: int
) -> tuple[int, ...]:
    """Choose at most ``count`` lengths to shorten to: up to half end with a signal's entry.

    ``signal_places`` are the lengths that just hold an entry. The others are anywhere; the same
    ``seed`` chooses the same.
    """
    generator = np.random.default_rng(seed)
    entered = np.unique(np.array(signal_places, dtype=np.int64))
    after_signals = generator.permutation(entered)[: count // 2].tolist()
    anywhere = generator.integers(1, max(length, 2), count - len(after_signals)).tolist()
    return tuple(sorted({*after_signals, *anywhere}))


def compare(
    whole: BacktestResult,
    shortened: BacktestResult,
    last_ordinal: int,
    whole_candles: Candles,
    shortened_candles: Candles,
) -> CutComparison:
    """Compare what the run of the whole file knew by ``last_ordinal`` with the shortened one's.

    The candles are M15 or shorter: the shortened ones are compared with the whole ones', and so is
    what the detectors find at their end, now and `LATER_CANDLES` later.
    """
    signals = _signals_by(whole, last_ordinal), _signals_by(shortened, last_ordinal)
    events = _events_by(whole, last_ordinal), _events_by(shortened, last_ordinal)
    findings, changed = _findings(whole_candles, shortened_candles)
    difference = (
        _first_difference("signal", signals[1], signals[0])
        or _first_difference("trade event", events[1], events[0])
        or changed
    )
    return CutComparison(len(signals[1]), len(events[1]), findings, difference)


def _signals_by(result: BacktestResult, last_ordinal: int) -> list[dict[str, Any]]:
    known: Iterator[TradingSignal] = (s for s in result.signals if s.entry_ordinal <= last_ordinal)
    return [as_json(signal) for signal in known]


def _events_by(result: BacktestResult, last_ordinal: int) -> list[dict[str, Any]]:
    return [
        {"signal_id": trade.signal_id} | as_json(event)
        for trade, events in result.trades
        for event in events
        if event.ordinal <= last_ordinal
    ]


def _findings(whole: Candles, shortened: Candles) -> tuple[int, Difference | None]:
    """Count the findings that were compared, and name the first that differs."""
    count = 0
    if not len(shortened):
        return count, None
    end_ms = int(shortened.time_ms[-1])
    for timeframe in TIMEFRAMES:
        now, later = resample(shortened, timeframe), resample(whole, timeframe)
        # The last candle of each may still be forming.
        closed = _closed_before(now.time_ms, end_ms, timeframe.milliseconds)
        for name in Candles.__slots__:
            column, column_later = getattr(now, name)[:closed], getattr(later, name)[:closed]
            if not np.array_equal(column, column_later):
                place = int(np.argmax(column != column_later))
                what = f"{timeframe} candle {place}, {name}"
                return count, Difference(what, str(column[place]), str(column_later[place]))
        first = max(closed - WINDOW, 0)
        then, now_known = (
            analyse(later.part(first, closed + LATER_CANDLES)),
            analyse(now.part(first, closed)),
        )
        for kind, found in _published(now_known).items():
            count += len(found)
            afterwards = _published(then)[kind][: len(found)]
            difference = _first_difference(f"{timeframe} {kind}", found, afterwards)
            if difference is not None:
                return count, difference
    return count, None


def _closed_before(time_ms: Int64s, end_ms: int, length_ms: int) -> int:
    return int(np.searchsorted(time_ms + length_ms, end_ms, side="right"))


def _published(analysis: WindowAnalysis) -> dict[str, list[Any]]:
    """What no later candle may change of the findings.

    A gap is touched and filled, a block touched and invalidated and a pool joined and taken by
    later candles: those are new facts and left out.
    """
    return {
        "swing": _plain(analysis.swings),
        "break of structure": _plain(analysis.breaks),
        "gap": [(g.index, g.direction, g.top, g.bottom, g.strength) for g in analysis.gaps],
        "order block": [
            (b.index, b.confirmed_at, b.direction, b.top, b.bottom, b.has_fvg, b.score)
            for b in analysis.order_blocks
        ],
        "pool": [(p.created_at, p.side, p.kind) for p in analysis.pools],
        "sweep": _plain(analysis.sweeps),
    }


def _plain(findings: Sequence[object]) -> list[Any]:
    return list(msgspec.to_builtins(findings))


def _first_difference(
    what: str, by_then: Sequence[Any], afterwards: Sequence[Any]
) -> Difference | None:
    for place in range(max(len(by_then), len(afterwards))):
        one = by_then[place] if place < len(by_then) else None
        other = afterwards[place] if place < len(afterwards) else None
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            name = next(name for name in one if one[name] != other.get(name))
            what = f"{what} {one.get('signal_id', place + 1)}, {name}"
            return Difference(what, str(one[name]), str(other.get(name)))
        return Difference(f"{what} {place + 1}", _told(one), _told(other))
    return None


def _told(found: Any) -> str:
    if found is None:
        return "nothing"
    return str(found["signal_id"] if isinstance(found, dict) and "signal_id" in found else found)
