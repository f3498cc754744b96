"""What followed an event, by a rule fixed beforehand: +1 R before -1 R within 48 candles.

The entry is the next candle's open, R reaches 0.1 ATR beyond the far side of the zone or the
extreme of the sweep. The stop comes first where one candle holds both; BUY pays the ask at the
entry, SELL at its stop and its target. A race that neither side wins in time is not won.

Two controls run the same race. *Random* entries have the event's direction, hour (UTC) and
distance to the stop (in ATR). *Placebos* have the event's shape as well, at places where the
detector found nothing: a zone as high, as far from its candle and come back to likewise; a poke as
deep, closed back through, at a price where no pool rests.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from signals_app.market.calendar import HOUR_MS
from signals_app.market.candle import WINDOW, Candles
from signals_app.market.tick import Float64s, Int64s
from signals_app.probability.events import WARM_UP, Events, find_events
from signals_app.smc.compiled import kernel
from signals_app.smc.compiled.kernel import compiled
from signals_app.smc.compiled.rules import RULES

#: Candles that a race may take, the entry's own included.
HORIZON = 48
#: How far beyond the zone or the extreme the stop is, in ATR.
STOP_ATR = 0.1
#: Random entries and placebos drawn for each event.
RANDOM_ENTRIES, PLACEBOS = 40, 4
#: Places looked at for each placebo that is wanted; most have no such shape.
_PLACEBO_TRIES = 12

#: What a race came to. VOID: the quote was beyond the stop already, there was nothing to risk.
LOST, WON, NEITHER, VOID = 0, 1, 2, -1
_UNKNOWN = -2

_HOURS = 24
_ORDER_BLOCK, _FVG, _SWEEP = range(3)
_FORMED = 0
_OPEN, _LOW, _CLOSE = range(3)

Prices: TypeAlias = NDArray[np.float64]
Int32s: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The outcomes of events, columns as long as these; those without one are left out.

    `event` is the event's place, `known_at` the candle at whose close the outcome counts: the last
    of its 48, decided sooner or not, since counting quick ones sooner would favour them. `won` is
    0 or 1. Of the controls, `..._known_at` and `..._won` have a row for each event and a column
    for each draw; `won` is -1 where there was none.
    """

    event: Int64s
    known_at: Int64s
    won: Int64s
    random_known_at: Int32s
    random_won: Int32s
    placebo_known_at: Int32s
    placebo_won: Int32s


def measure(candles: Candles, spread: Float64s, events: Events, seed: int = 1) -> Outcomes:
    """What followed each event, and each of its controls; the same seed, the same draws.

    ``spread`` is each candle's, in price. Events whose 48 candles are not over, or that left
    nothing to risk, have no outcome.
    """
    sides = _Sides.of(candles, spread)
    atr = _average_true_ranges(candles)
    hours = (candles.time_ms // HOUR_MS % _HOURS).astype(np.int64)
    order, starts = _by_hour(hours, len(candles) - HORIZON - 1)
    won, random, placebo = _run(
        sides.entry,
        sides.quote,
        sides.low,
        sides.high,
        sides.chart,
        atr,
        hours,
        order,
        starts,
        np.array((events.index, events.formed, events.type, events.kind, events.side)),
        np.array((events.top, events.bottom, events.atr)),
        np.uint64(seed),
    )
    kept = np.flatnonzero(won >= 0)
    return Outcomes(
        event=kept,
        known_at=events.index[kept] + HORIZON,
        won=(won[kept] == WON).astype(np.int64),
        random_known_at=random[0, kept],
        random_won=random[1, kept],
        placebo_known_at=placebo[0, kept],
        placebo_won=placebo[1, kept],
    )


def warm_up() -> None:
    """Load (the first time on a machine: compile) what finds events and races them."""
    price = np.ones(1)
    candle = Candles(np.zeros(1, dtype=np.int64), price, price, price, price, price)
    measure(candle, np.zeros(1), find_events(candle))


def race(candles: Candles, spread: Float64s, *, place: int, is_buy: bool, stop: float) -> int:
    """LOST, WON, NEITHER or VOID of an entry at the open of candle ``place``.

    The readable twin of the compiled race. There are 48 candles from ``place`` on.
    """
    opened, spread_there = candles[place], float(spread[place])
    if is_buy:
        entry, risk, quote_is_beyond = (
            opened.open + spread_there,
            opened.open + spread_there - stop,
            opened.open <= stop,
        )
    else:
        entry, risk, quote_is_beyond = (
            opened.open,
            stop - opened.open,
            opened.open + spread_there >= stop,
        )
    if quote_is_beyond:
        return VOID
    for m in range(place, place + HORIZON):
        candle, ask = candles[m], float(spread[m])
        if is_buy:
            stopped, reached = candle.low <= stop, candle.high >= entry + risk
        else:
            stopped, reached = candle.high + ask >= stop, candle.low + ask <= entry - risk
        if stopped:
            return LOST
        if reached:
            return WON
    return NEITHER


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Prices as a BUY meets them (row 0) and, upside down, as a SELL does (row 1).

    `entry` is what an entry at the open pays, `quote` what leaving at once would bring; `low` and
    `high` are what stop and target meet. `chart` is open, low and close of the candles as drawn.
    """

    entry: Prices
    quote: Prices
    low: Prices
    high: Prices
    chart: Prices

    @classmethod
    def of(cls, candles: Candles, spread: Float64s) -> "_Sides":
        return cls(
            entry=np.array((candles.open + spread, -candles.open)),
            quote=np.array((candles.open, -(candles.open + spread))),
            low=np.array((candles.low, -(candles.high + spread))),
            high=np.array((candles.high, -(candles.low + spread))),
            chart=np.array(
                (
                    (candles.open, candles.low, candles.close),
                    (-candles.open, -candles.high, -candles.close),
                )
            ),
        )


def _by_hour(hours: Int64s, end: int) -> tuple[Int64s, Int64s]:
    """The candles that controls may start from, by their hour, and where each hour begins."""
    usable = np.arange(WARM_UP - 1, max(end, WARM_UP - 1), dtype=np.int64)
    order = usable[np.argsort(hours[usable], kind="stable")]
    return order, np.searchsorted(hours[order], np.arange(_HOURS + 1)).astype(np.int64)


def _average_true_ranges(candles: Candles) -> Float64s:
    prices = np.array((candles.open, candles.high, candles.low, candles.close), dtype=np.float64)
    return kernel.average_true_ranges(prices, RULES)


@compiled
def _race(
    entry: Prices, quote: Prices, low: Prices, high: Prices, side: int, place: int, stop: float
) -> int:
    if quote[side, place] <= stop:
        return VOID
    target = entry[side, place] + (entry[side, place] - stop)
    for m in range(place, place + HORIZON):
        if low[side, m] <= stop:
            return LOST
        if high[side, m] >= target:
            return WON
    return NEITHER


@compiled
def _drawn(seed: np.uint64, event: int, draw: int) -> np.uint64:
    """A number that looks random and depends on these three alone (SplitMix64)."""
    x = seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(event) * np.uint64(0xD1B54A32D192ED03)
    x += np.uint64(draw + 1) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _run(
    entry: Prices,
    quote: Prices,
    low: Prices,
    high: Prices,
    chart: Prices,
    atr: Float64s,
    hours: Int64s,
    order: Int64s,
    starts: Int64s,
    table: Int64s,
    values: Prices,
    seed: np.uint64,
) -> tuple[Int64s, Int32s, Int32s]:
    """Each event's result, and of its random entries and placebos when it was known and which."""
    count, candles = table.shape[1], chart.shape[2]
    won = np.full(count, _UNKNOWN)
    random = np.full((2, count, RANDOM_ENTRIES), -1, dtype=np.int32)
    placebo = np.full((2, count, PLACEBOS), -1, dtype=np.int32)
    for e in range(count):
        index, formed, type_, kind, side = table[:, e]
        if index + HORIZON >= candles:
            continue
        # Upside down for a SELL, so that the far side is the lower one.
        top = values[0, e] if side == 0 else -values[1, e]
        bottom = values[1, e] if side == 0 else -values[0, e]
        stop = bottom - STOP_ATR * values[2, e]
        won[e] = _race(entry, quote, low, high, side, index + 1, stop)
        if won[e] < 0:
            continue
        distance = (entry[side, index + 1] - stop) / values[2, e]
        first, behind = starts[hours[index]], starts[hours[index] + 1]
        if behind > first:
            for d in range(RANDOM_ENTRIES):
                at = order[first + np.int64(_drawn(seed, e, d) % np.uint64(behind - first))]
                result = _race(
                    entry, quote, low, high, side, at + 1, entry[side, at + 1] - distance * atr[at]
                )
                if result >= 0:
                    random[0, e, d], random[1, e, d] = at + HORIZON, result == WON
        first, behind = starts[hours[formed]], starts[hours[formed] + 1]
        if behind == first or atr[formed] == 0:
            continue
        above = (chart[side, _CLOSE, formed] - top) / atr[formed]
        height = (top - bottom) / atr[formed]
        found = 0
        for d in range(PLACEBOS * _PLACEBO_TRIES):
            if found == PLACEBOS:
                break
            draw = RANDOM_ENTRIES + d
            at = order[first + np.int64(_drawn(seed, e, draw) % np.uint64(behind - first))]
            if type_ == _SWEEP:
                known, lowest = _poke(chart[side], table, side, at, height * atr[at])
            else:
                known, lowest = _empty_zone(
                    chart[side], table, values, type_, kind, side, at, above, height, atr[at]
                )
            if known < 0 or known + HORIZON >= candles:
                continue
            result = _race(entry, quote, low, high, side, known + 1, lowest - STOP_ATR * atr[known])
            if result >= 0:
                placebo[0, e, found], placebo[1, e, found] = known + HORIZON, result == WON
                found += 1
    return won, random, placebo


@compiled
def _poke(chart: Prices, table: Int64s, side: int, at: int, depth: float) -> tuple[int, float]:
    """The candle and its extreme where it went ``depth`` below a price and closed above.

    -1 where it did not, or where a sweep was found around it.
    """
    lowest = chart[_LOW, at]
    level = lowest + depth
    if min(chart[_OPEN, at], chart[_CLOSE, at], chart[_CLOSE, at - 1]) <= level:
        return -1, 0.0
    place = np.searchsorted(table[0], at - 2)
    while place < table.shape[1] and table[0, place] <= at + 2:
        if table[2, place] == _SWEEP and table[4, place] == side:
            return -1, 0.0
        place += 1
    return at, lowest


@compiled
def _empty_zone(
    chart: Prices,
    table: Int64s,
    values: Prices,
    type_: int,
    kind: int,
    side: int,
    at: int,
    above: float,
    height: float,
    atr: float,
) -> tuple[int, float]:
    """When a zone of that shape, drawn at candle ``at``, makes its event, and its far side.

    -1 where the detector has found one of its type there lately, or where none came back in time.
    """
    top = chart[_CLOSE, at] - above * atr
    bottom = top - height * atr
    place = np.searchsorted(table[0], at + 1) - 1
    while place >= 0 and table[0, place] > at - WINDOW:
        if table[2, place] == type_ and table[3, place] == _FORMED and table[4, place] == side:
            real_top = values[0, place] if side == 0 else -values[1, place]
            real_bottom = values[1, place] if side == 0 else -values[0, place]
            if real_bottom <= top and bottom <= real_top:
                return -1, 0.0
        place -= 1
    if kind == _FORMED:
        return at, bottom
    for m in range(at + 1, min(at + WINDOW, chart.shape[1])):
        if chart[_LOW, m] <= top:
            is_through = chart[_LOW, m] <= bottom if type_ == _FVG else chart[_CLOSE, m] < bottom
            return (-1 if is_through else m), bottom
    return -1, 0.0
