"""Events whose outcomes are measured: zones formed, zones retested, liquidity swept.

Each is found as the pipeline would have found it: by an analysis of the last 200 candles at the
close of the candle that made it known. One pass over a whole file would differ: its hours have
longer volume records, and pools of years ago would still be swept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from signals_app.market.candle import WINDOW, Candles
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.compiled import kernel
from signals_app.smc.compiled.detectors import columns
from signals_app.smc.compiled.kernel import compiled
from signals_app.smc.compiled.rules import RULES, tables

#: Candles before the first event: what a decision needs too.
WARM_UP = 50


_ORDER_BLOCK, _FVG, _SWEEP = range(3)
_FORMED, _RETEST, _SWING = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events of one run of candles as columns, in the order in which they became known.

    `index` is the candle at whose close the event was known, `formed` the one that formed its
    zone (the same but for retests). `type`, `kind` and `side` are places in `EVENT_TYPES`,
    `EVENT_KINDS` and `BIASES`. `top` and `bottom` are the zone; of a sweep the pool's price and
    its extreme. `atr` is in price, at `index`.
    """

    index: Int64s
    formed: Int64s
    type: Int64s
    kind: Int64s
    side: Int64s
    top: Float64s
    bottom: Float64s
    score: Float64s
    atr: Float64s

    def __len__(self) -> int:
        return len(self.index)


def find_events(candles: Candles, first: int = WARM_UP - 1, last: int | None = None) -> Events:
    """The events known at the closes of candles ``first`` to ``last`` (exclusive).

    Of several alike at one candle (type, kind and direction) only the one with the best score is
    kept, the younger on a tie: they would be the same trade.
    """
    end = len(candles) if last is None else min(last, len(candles))
    time_ms, prices, volume = columns(candles)
    begin = max(first, WARM_UP - 1)
    table, values = _find(time_ms, prices, volume, tables(), RULES, begin, end, WINDOW)
    best = _best_of_alike(table, values)
    return Events(*(row[best] for row in table), *(row[best] for row in values))


def _best_of_alike(table: Int64s, values: Float64s) -> Int64s:
    index, formed, type_, kind, side = table
    order = np.lexsort((formed, values[2], side, kind, type_, index))
    alike = table[:, order][[0, 2, 3, 4]]
    is_last = np.ones(len(order), dtype=bool)
    is_last[:-1] = np.any(alike[:, 1:] != alike[:, :-1], axis=0)
    return order[is_last].astype(np.int64)


def _finder(detectors: str) -> Callable[..., tuple[kernel.Table, kernel.Values]]:
    """Compile the loop over windows for detectors with this digest of their source.

    What is compiled here holds the detectors' machine code, but its cache on disk asks only whether
    this file has changed. The detectors' source is a part of the function, so that others are
    compiled anew: outcomes would be measured of what older detectors found.
    """

    @compiled
    def find(
        time_ms: Int64s,
        prices: kernel.Values,
        volume: Float64s,
        looked_up: kernel.Tables,
        rules: kernel.Rules,
        first: int,
        end: int,
        window: int,
    ) -> tuple[kernel.Table, kernel.Values]:
        _ = detectors
        room, found = 1024, 0
        table, values = np.empty((5, room), dtype=np.int64), np.empty((4, room))
        for i in range(first, end):
            start = max(i + 1 - window, 0)
            seen = kernel.find_kept(
                time_ms[start : i + 1].copy(),
                prices[:, start : i + 1].copy(),
                volume[start : i + 1].copy(),
                looked_up,
                rules,
            )
            last = i - start
            most = seen.gaps[0].shape[1] + seen.order_blocks[0].shape[1] + seen.sweeps[0].shape[1]
            if found + most > room:
                room = 2 * room + most
                more_table, more_values = np.empty((5, room), dtype=np.int64), np.empty((4, room))
                more_table[:, :found], more_values[:, :found] = table[:, :found], values[:, :found]
                table, values = more_table, more_values
            gaps, gap_values = seen.gaps
            for g in range(gaps.shape[1]):
                if gaps[0, g] == last or gaps[2, g] == last:
                    table[1, found], table[2, found] = start + gaps[0, g], _FVG
                    table[3, found] = _FORMED if gaps[0, g] == last else _RETEST
                    table[0, found], table[4, found] = i, gaps[1, g]
                    values[0, found], values[1, found] = gap_values[0, g], gap_values[1, g]
                    values[2, found], values[3, found] = gap_values[2, g], seen.atr
                    found += 1
            blocks, block_values = seen.order_blocks
            for b in range(blocks.shape[1]):
                if blocks[1, b] == last or blocks[7, b] == last:
                    table[1, found], table[2, found] = start + blocks[1, b], _ORDER_BLOCK
                    table[3, found] = _FORMED if blocks[1, b] == last else _RETEST
                    table[0, found], table[4, found] = i, blocks[2, b]
                    values[0, found], values[1, found] = block_values[0, b], block_values[1, b]
                    values[2, found], values[3, found] = block_values[2, b], seen.atr
                    found += 1
            sweeps, sweep_values = seen.sweeps
            for s in range(sweeps.shape[1]):
                if sweeps[0, s] == last:
                    table[0, found], table[1, found], table[2, found] = i, i, _SWEEP
                    # Pools are swings, then days' highs and lows, then weeks': one kind each.
                    table[3, found] = _SWING + (sweeps[3, s] + 1) // 2
                    # Buy-side liquidity that was swept expects a fall.
                    table[4, found] = 1 - sweeps[2, s]
                    price, beyond = sweep_values[0, s], sweep_values[1, s]
                    values[0, found] = price + beyond if sweeps[2, s] == 0 else price
                    values[1, found] = price if sweeps[2, s] == 0 else price - beyond
                    values[2, found], values[3, found] = sweep_values[3, s], seen.atr
                    found += 1
        return table[:, :found].copy(), values[:, :found].copy()

    return find


_find = _finder(sha256(Path(kernel.__file__).read_bytes()).hexdigest())
