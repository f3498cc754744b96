"""A second implementation, written from the definitions by somebody who had not seen the first.

The definitions are docs/domain/definitions.md, sections 1 to 6. Slow and obvious, and with nothing
of `signals_app.smc` in it: two readings of one page seldom err in the same place. Findings are rows
of the exchange format. What the page calls a mirror is one here: bearish is what is bullish in the
market upside down, which costs no digit, because changing a sign never rounds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, reduce
from itertools import count
from operator import add
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from signals_app.market.candle import Candles

Row = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")

SWING_LENGTH = 3
IMPULSE_CANDLES = 3
DISPLACEMENT_ATR = 1.0
EQUAL_TOLERANCE_ATR = 0.10
RECLAIM_CANDLES = 2

#: What a finding of the market upside down is called in the market itself.
UPSIDE_DOWN = {
    "high": "low",
    "HH": "LL",
    "LH": "HL",
    None: None,
    "bullish": "bearish",
    "bearish": "bullish",
    "buy": "sell",
    "SWING": "SWING",
    "PDH": "PDL",
    "PWH": "PWL",
}


def analyse(candles: Candles) -> Row:
    """Return everything found, as the exchange format has it without symbol and timeframe."""
    market = Market.of(candles)
    swings = find_swings(market)
    breaks = find_breaks(market, swings)
    pools, sweeps = find_liquidity(market)
    return {
        "candles": len(market),
        "swings": swings,
        "fvgs": find_gaps(market),
        "order_blocks": find_order_blocks(market),
        "structure": breaks,
        "pools": pools,
        "sweeps": sweeps,
        "trend": breaks[-1]["direction"] if breaks else "none",
        "trend_strength": trend_strength(market, breaks),
        "position": position(market, swings),
    }


@dataclass(frozen=True)
class Market:
    """Closed candles, oldest first, and what the page's notation says of each."""

    time: list[datetime]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]

    @classmethod
    def of(cls, candles: Candles) -> "Market":
        rows = list(candles)
        return cls(
            [EPOCH + timedelta(milliseconds=row.time_ms) for row in rows],
            [row.open for row in rows],
            [row.high for row in rows],
            [row.low for row in rows],
            [row.close for row in rows],
            [row.volume for row in rows],
        )

    def __len__(self) -> int:
        return len(self.time)

    def upside_down(self) -> "Market":
        return Market(
            self.time,
            [-price for price in self.open],
            [-price for price in self.low],
            [-price for price in self.high],
            [-price for price in self.close],
            self.volume,
        )

    def part_of_range(self, part: float, i: int) -> float:
        """Return ``part`` as a share of the candle's range, 0 where the candle has none."""
        height = self.high[i] - self.low[i]
        return part / height if height else 0.0

    def body(self, i: int) -> float:
        return abs(self.close[i] - self.open[i])

    def upper_wick(self, i: int) -> float:
        return self.high[i] - max(self.open[i], self.close[i])

    def lower_wick(self, i: int) -> float:
        return min(self.open[i], self.close[i]) - self.low[i]

    @cached_property
    def atr(self) -> list[float]:
        ranges = [true_range(self, i) for i in range(len(self))]
        averages: list[float] = []
        for i, newest in enumerate(ranges):
            if i < 14:
                averages.append(mean(ranges[: i + 1]))
            else:
                averages.append((averages[-1] * 13 + newest) / 14)
        return averages

    @cached_property
    def relative_volume(self) -> list[float]:
        return [relative_volume(self, i) for i in range(len(self))]

    @cached_property
    def days(self) -> list[date]:
        return [trading_day(moment) for moment in self.time]

    @cached_property
    def weeks(self) -> list[tuple[int, int]]:
        return [(day.isocalendar().year, day.isocalendar().week) for day in self.days]


def true_range(market: Market, i: int) -> float:
    high, low = market.high[i], market.low[i]
    if i == 0:
        return high - low
    before = market.close[i - 1]
    return max(high - low, abs(high - before), abs(low - before))


def relative_volume(market: Market, i: int) -> float:
    if i == 0:
        return 1.0
    usual = usual_volume(market, i)
    return market.volume[i] / usual if usual else 1.0


def usual_volume(market: Market, i: int) -> float:
    same_hour = [market.volume[j] for j in range(i) if market.time[j].hour == market.time[i].hour]
    if len(same_hour) < 5:
        return mean(market.volume[max(0, i - 20) : i])
    return median(same_hour)


def round_step(volatility: float) -> float:
    """Return the smallest 1, 2.5 or 5 times a power of ten that is at least 8 volatilities."""
    steps = (float(f"{digits}e{power}") for power in count(-30) for digits in ("1", "2.5", "5"))
    return next(step for step in steps if step >= 8 * volatility)


def trading_day(moment: datetime) -> date:
    clock = moment.astimezone(NEW_YORK).replace(tzinfo=None)
    return (clock + timedelta(hours=7)).date()


def mean(values: list[float]) -> float:
    return total(values) / len(values)


def total(values: Iterable[float]) -> float:
    # From left to right in every Python: sum() compensates for rounding from 3.12 on.
    return reduce(add, values, 0.0)


def first(places: Iterable[int], holds: Callable[[int], bool]) -> int | None:
    return next((place for place in places if holds(place)), None)


def turned(row: Row) -> Row:
    """Return a finding of the market upside down as one of the market itself."""
    names = {
        key: UPSIDE_DOWN[row[key]] for key in ("kind", "label", "direction", "side") if key in row
    }
    new = row | names
    if "price" in row:
        new["price"] = -row["price"]
    if "top" in row:
        new["top"], new["bottom"] = -row["bottom"], -row["top"]
    return new


def both_ways(find: Callable[[Market], list[Row]], market: Market) -> list[Row]:
    """Return what is found in the market, then what is found in it upside down."""
    return find(market) + [turned(row) for row in find(market.upside_down())]


def find_swings(market: Market) -> list[Row]:
    """Return the swing points (section 1), highs before lows."""
    found = both_ways(swing_highs, market)
    return sorted(found, key=lambda swing: (swing["confirmed_at"], swing["kind"] == "low"))


def swing_highs(market: Market) -> list[Row]:
    found: list[Row] = []
    for place in range(len(market)):
        if not is_swing_high(market, place):
            continue
        price = market.high[place]
        found.append(
            {
                "index": place,
                "confirmed_at": place + SWING_LENGTH,
                "kind": "high",
                "price": price,
                "label": high_label(price, found[-1]["price"]) if found else None,
            }
        )
    return found


def is_swing_high(market: Market, place: int) -> bool:
    left = range(place - SWING_LENGTH, place)
    right = range(place + 1, place + SWING_LENGTH + 1)
    if left[0] < 0 or right[-1] >= len(market):
        return False
    price = market.high[place]
    return all(price > market.high[q] for q in left) and all(price >= market.high[q] for q in right)


def high_label(price: float, previous: float) -> str:
    return "HH" if price > previous else "LH"


def known_at(swings: list[Row], i: int) -> list[Row]:
    return [swing for swing in swings if swing["confirmed_at"] == i]


def find_gaps(market: Market) -> list[Row]:
    """Return the fair value gaps (section 2), bullish before bearish."""
    found = both_ways(bullish_gaps, market)
    return sorted(found, key=lambda gap: (gap["index"], gap["direction"] == "bearish"))


def bullish_gaps(market: Market) -> list[Row]:
    return [bullish_gap(market, i) for i in range(len(market)) if is_bullish_gap(market, i)]


def is_bullish_gap(market: Market, i: int) -> bool:
    return i >= 2 and market.high[i - 2] < market.low[i]


def bullish_gap(market: Market, i: int) -> Row:
    bottom, top = market.high[i - 2], market.low[i]
    later = range(i + 1, len(market))
    deepest = min((market.low[j] for j in later), default=top)
    return {
        "index": i,
        "direction": "bullish",
        "top": top,
        "bottom": bottom,
        "strength": gap_strength(market, i, top - bottom),
        "touched_at": first(later, lambda j: market.low[j] < top),
        "filled_at": first(later, lambda j: market.low[j] <= bottom),
        "fill": max(0.0, min(1.0, (top - deepest) / (top - bottom))),
    }


def gap_strength(market: Market, i: int, height: float) -> float:
    middle = i - 1
    atr = market.atr[middle]
    size = min(height / atr, 1.0) if atr else 1.0
    body = market.part_of_range(market.body(middle), middle)
    volume = min(market.relative_volume[middle] / 2, 1.0)
    return 100 * (0.60 * size + 0.25 * body + 0.15 * volume)


def find_order_blocks(market: Market) -> list[Row]:
    """Return the order blocks (section 3)."""
    found = both_ways(bullish_blocks, market)
    return sorted(found, key=lambda block: (block["confirmed_at"], block["index"]))


def bullish_blocks(market: Market) -> list[Row]:
    impulses = ((i, impulse_end(market, i)) for i in range(len(market)))
    return [bullish_block(market, i, j) for i, j in impulses if j is not None]


def impulse_end(market: Market, i: int) -> int | None:
    """Return the candle that makes a bullish order block of candle ``i``, `None` if none does."""
    if market.atr[i] == 0 or market.close[i] >= market.open[i]:
        return None
    for j in range(i + 1, min(i + IMPULSE_CANDLES + 1, len(market))):
        if market.close[j] < market.open[j]:
            return None
        if market.close[j] - market.high[i] >= DISPLACEMENT_ATR * market.atr[i]:
            return j
    return None


def bullish_block(market: Market, i: int, j: int) -> Row:
    bottom, top = market.low[i], market.high[i]
    later = range(j + 1, len(market))
    qualities = {
        "high_volume": max(market.relative_volume[i : j + 1]) > 2.0,
        "rejection": market.part_of_range(market.lower_wick(i), i) > 0.60,
        "near_round": is_near_round(bottom, top, market.atr[i]),
        "has_fvg": any(is_bullish_gap(market, q) for q in range(i + 1, j + 1)),
    }
    return {
        "index": i,
        "confirmed_at": j,
        "direction": "bullish",
        "top": top,
        "bottom": bottom,
        **qualities,
        "score": block_score(**qualities),
        "touched_at": first(later, lambda t: market.low[t] <= top),
        "invalidated_at": first(later, lambda t: market.close[t] < bottom),
    }


def is_near_round(bottom: float, top: float, atr: float) -> bool:
    step = round_step(atr)
    # One step further than the zone is far enough: a step is at least 8 ATR, near is a quarter.
    multiples = range(int(bottom // step) - 1, int(top // step) + 3)
    distances = (max(bottom - m * step, m * step - top) for m in multiples)
    return any(distance <= 0.25 * atr for distance in distances)


def block_score(*, high_volume: bool, rejection: bool, near_round: bool, has_fvg: bool) -> float:
    return 0.35 + 0.25 * high_volume + 0.15 * rejection + 0.10 * near_round + 0.15 * has_fvg


def find_breaks(market: Market, swings: list[Row]) -> list[Row]:
    """Return the breaks of structure (section 4), at most one a candle."""
    found: list[Row] = []
    trend = "none"
    reference: dict[str, Row | None] = {"high": None, "low": None}
    for i, close in enumerate(market.close):
        for swing in known_at(swings, i):
            reference[swing["kind"]] = swing
        high, low = reference["high"], reference["low"]
        if high and close > high["price"]:
            found.append(structure_break(i, high, "up", trend))
            reference["high"], trend = None, "up"
        elif low and close < low["price"]:
            found.append(structure_break(i, low, "down", trend))
            reference["low"], trend = None, "down"
    return found


def structure_break(i: int, swing: Row, direction: str, trend: str) -> Row:
    return {
        "index": i,
        "kind": "BOS" if trend in ("none", direction) else "CHOCH",
        "direction": direction,
        "level": swing["price"],
        "swing_index": swing["index"],
    }


def trend_strength(market: Market, breaks: list[Row]) -> float:
    if not breaks:
        return 0.0
    efficiency = trend_efficiency(market, breaks[-1]["direction"])
    return 100 * (0.5 * min(breaks_of_trend(breaks), 4) / 4 + 0.5 * efficiency)


def breaks_of_trend(breaks: list[Row]) -> int:
    """Return how many breaks made the trend: from the last change of character on, or all."""
    changes = [place for place, event in enumerate(breaks) if event["kind"] == "CHOCH"]
    since = breaks[changes[-1] :] if changes else breaks
    return sum(event["direction"] == breaks[-1]["direction"] for event in since)


def trend_efficiency(market: Market, trend: str) -> float:
    last = len(market) - 1
    start = last - min(50, last)
    net = market.close[last] - market.close[start]
    steps = (abs(market.close[m] - market.close[m - 1]) for m in range(start + 1, last + 1))
    path = total(steps)
    against = net < 0 if trend == "up" else net > 0
    return 0.0 if against or path == 0 else abs(net) / path


def position(market: Market, swings: list[Row]) -> float | None:
    """Return where the last close stands between the last swing low (0) and swing high (1)."""
    highs = [swing["price"] for swing in swings if swing["kind"] == "high"]
    lows = [swing["price"] for swing in swings if swing["kind"] == "low"]
    if not highs or not lows or highs[-1] <= lows[-1]:
        return None
    return (market.close[-1] - lows[-1]) / (highs[-1] - lows[-1])


def find_liquidity(market: Market) -> tuple[list[Row], list[Row]]:
    """Return the pools (section 5) and the sweeps (section 6), buy side before sell side."""
    mirror = market.upside_down()
    found = buy_side(market)
    found += [(turned(pool), sweep and turned(sweep)) for pool, sweep in buy_side(mirror)]
    found.sort(key=lambda pair: (pair[0]["created_at"], pair[0]["side"] == "sell"))
    # Sorting is stable, so that sweeps of one candle stay in the order of their pools.
    sweeps = sorted((sweep for _, sweep in found if sweep), key=lambda sweep: sweep["index"])
    return [pool for pool, _ in found], sweeps


def buy_side(market: Market) -> list[tuple[Row, Row | None]]:
    """Return each pool above highs with its sweep, if it had one."""
    found: list[tuple[Row, Row | None]] = []
    for pool in buy_side_pools(market):
        reclaimed_at = reclaim(market, pool)
        outcome = outcome_of(market, pool, reclaimed_at)
        sweep = None if reclaimed_at is None else bearish_sweep(market, pool, reclaimed_at)
        found.append((pool | {"outcome": outcome}, sweep))
    return found


def buy_side_pools(market: Market) -> list[Row]:
    highs = swing_highs(market)
    pools: list[Row] = []
    for i in range(len(market)):
        take(pools, market, i)
        for swing in known_at(highs, i):
            join_or_rest(pools, swing["price"], market, i)
        pools += period_pools(market, i)
    return pools


def new_pool(i: int, kind: str, price: float) -> Row:
    return {
        "created_at": i,
        "side": "buy",
        "kind": kind,
        "price": price,
        "touches": 1,
        "taken_at": None,
    }


def take(pools: list[Row], market: Market, i: int) -> None:
    for pool in pools:
        if pool["taken_at"] is None and market.high[i] > pool["price"]:
            pool["taken_at"] = i


def join_or_rest(pools: list[Row], price: float, market: Market, i: int) -> None:
    """Let a swing high join the nearest active swing pool, or rest as a pool of its own."""
    active = [pool for pool in pools if pool["kind"] == "SWING" and pool["taken_at"] is None]
    # Of equally near pools min() gives the first, which is the oldest.
    nearest = min(active, key=lambda pool: abs(price - pool["price"]), default=None)
    if nearest and abs(price - nearest["price"]) <= EQUAL_TOLERANCE_ATR * market.atr[i]:
        nearest["touches"] += 1
        nearest["price"] = max(nearest["price"], price)
    else:
        pools.append(new_pool(i, "SWING", price))


def period_pools(market: Market, i: int) -> list[Row]:
    """Return the pools of the day and of the week that ended right before candle ``i``."""
    ended = [
        (kind, periods)
        for kind, periods in (("PDH", market.days), ("PWH", market.weeks))
        if i > 0 and periods[i] != periods[i - 1]
    ]
    return [new_pool(i, kind, highest_before(market, periods, i)) for kind, periods in ended]


def highest_before(market: Market, periods: list[Any], i: int) -> float:
    return max(market.high[j] for j in range(i) if periods[j] == periods[i - 1])


def reclaim(market: Market, pool: Row) -> int | None:
    """Return the first close back below a taken pool, `None` where it came too late or never."""
    taken_at = pool["taken_at"]
    if taken_at is None:
        return None
    in_time = range(taken_at, min(taken_at + RECLAIM_CANDLES + 1, len(market)))
    return first(in_time, lambda j: market.close[j] < pool["price"])


def outcome_of(market: Market, pool: Row, reclaimed_at: int | None) -> str | None:
    if pool["taken_at"] is None:
        return None
    if reclaimed_at is not None:
        return "sweep"
    return "run" if pool["taken_at"] + RECLAIM_CANDLES < len(market) else "pending"


def bearish_sweep(market: Market, pool: Row, j: int) -> Row:
    taken_at = pool["taken_at"]
    # Of equally high candles max() gives the first.
    extreme = max(range(taken_at, j + 1), key=lambda q: market.high[q])
    wick = market.part_of_range(market.upper_wick(extreme), extreme)
    spike = max(market.relative_volume[taken_at : j + 1]) > 1.5
    known_level = pool["touches"] >= 2 or pool["kind"] != "SWING"
    return {
        "index": j,
        "taken_at": taken_at,
        "direction": "bearish",
        "price": pool["price"],
        "kind": pool["kind"],
        "penetration": market.high[extreme] - pool["price"],
        "volume_spike": spike,
        "wick": wick,
        "score": 0.30
        + 0.20 * (j == taken_at)
        + 0.20 * spike
        + 0.15 * (wick > 0.5)
        + 0.15 * known_level,
    }
