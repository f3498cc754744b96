"""The detectors as compiled loops over columns: the quick twin of the readable ones.

Every function here says what its readable twin says, to the last bit, in time linear in the
candles; `signals_app.smc.compiled.rows` turns the rows into values. Sell-side rules are the
buy-side rules on mirrored prices, so most loops run over two sides: 0 as it is, 1 upside down. An
index that never came is -1.

All of it is one file on purpose. numba keeps the machine code of a function on disk, together with
that of all functions it calls, and compiles again only when the function's own file has changed. A
detector in a file of its own could be changed while `find_all` went on with its old code.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from signals_app.market.calendar import DAY_MS, HOUR_MS
from signals_app.market.tick import Float64s, Int64s

Table: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
#: Findings of one kind, a column for each: whole numbers by row, and prices and shares by row.
Rows: TypeAlias = tuple[Table, Values]

_OPEN, _HIGH, _LOW, _CLOSE = 0, 1, 2, 3
_LONG_AGO_MS = -(1 << 62)
_MONDAY = 3  # 1970 began on a Thursday, three days after a Monday.
_NEVER = -1
_SWING, _DAY, _WEEK = 0, (1, 2), (3, 4)  # days and weeks by side
_SWEPT, _RUN, _PENDING = 0, 1, 2
_HALF_OF_THE_BITS = 2.0**27 + 1
#: What `plan_closes` says of a close; UNSURE where only the readable twin can tell.
(
    BELOW_THRESHOLD,
    CONFLICTING,
    NO_STRUCTURE,
    RISK_BELOW_SPREADS,
    RISK_TOO_LARGE,
    PLANNED,
    UNSURE,
) = range(7)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function on its first call, and keep the machine code on disk.

    No fast-math: a sum must be added up in the order in which the readable twin does it.
    """
    return cast("_Function", numba.njit(cache=True, error_model="numpy", nogil=True)(function))


class Rules(NamedTuple):
    """The parameters of all detectors.

    They are passed with every call: what a compiled function reads from another module would be
    frozen into the cache on disk and outlive a change there.
    """

    atr_period: int
    relvol_hour_candles: int
    relvol_candles: int
    round_step_atr: float
    swing_length: int
    size_weight: float
    body_weight: float
    volume_weight: float
    full_relvol: float
    impulse_candles: int
    displacement_atr: float
    high_relvol: float
    rejection_wick: float
    near_round_atr: float
    block_base: float
    block_volume: float
    block_rejection: float
    block_round: float
    block_gap: float
    full_trend_breaks: int
    efficiency_candles: int
    breaks_weight: float
    efficiency_weight: float
    equal_tolerance_atr: float
    reclaim_candles: int
    equal_touches: int
    spike_relvol: float
    long_wick: float
    sweep_base: float
    sweep_same_candle: float
    sweep_spike: float
    sweep_wick: float
    sweep_pool: float
    view_sweep_candles: int


class Tables(NamedTuple):
    """What the detectors look up.

    `round_steps` are the possible grids of round numbers, ascending. New York is `ahead_ms[k]`
    ahead of UTC (below zero: behind) from `since_ms[k]` on.
    """

    round_steps: Float64s
    since_ms: Int64s
    ahead_ms: Int64s


class Columns(NamedTuple):
    """Candles of one timeframe: times (Unix ms), (open, high, low, close), volumes."""

    time_ms: Int64s
    prices: Values
    volume: Float64s


class Volumes(NamedTuple):
    """Volumes, and each one against its own hour, which is computed where it is asked for.

    `before` is the place of the last earlier candle of the same hour of the day. `relative` is NaN
    where nobody has asked yet. `room` is for sorting.
    """

    volume: Float64s
    before: Int64s
    relative: Float64s
    room: Float64s


class VoteRules(NamedTuple):
    """What `signals_app.confluence` asks of findings, and the points of a whole vote (0..100).

    `rounding` is more than rounding all votes to the hundredth can add.
    """

    h4_structure: float
    h4_location: float
    h4_liquidity: float
    h1_structure: float
    h1_location: float
    h1_liquidity: float
    h1_momentum: float
    m15_structure: float
    m15_location: float
    m15_liquidity: float
    m15_momentum: float
    m15_context: float
    present: float
    full_trend: float
    memory: int
    draw_atr: float
    marked_pull: float
    swing_pull: float
    reach_atr: float
    overlap_share: float
    rounding: float
    window: int


class PlanRules(NamedTuple):
    """What a decision asks beside the score: see `Parameters` and `confluence.levels`.

    Levels are rounded to ``grain`` decimals before they are moved to the ``digits`` of orders;
    zones stand on a grid of ``price_decimals``. A view keeps ``view_swings``.
    """

    threshold: float
    stop_buffer_atr: float
    minimum_risk_atr: float
    maximum_risk_atr: float
    minimum_risk_spreads: float
    target_buffer_atr: float
    take_profit_1_r: float
    take_profit_2_r: float
    minimum_risk_reward: float
    maximum_risk_reward: float
    tolerance: float
    digits: int
    grain: int
    price_decimals: int
    view_swings: int


class Findings(NamedTuple):
    """All findings of a window, each in the order in which it became known."""

    swings: Rows
    breaks: Rows
    gaps: Rows
    order_blocks: Rows
    pools: Rows
    sweeps: Rows
    strength: float
    atr: float


@compiled
def find_all(
    time_ms: Int64s, prices: Values, volume: Float64s, tables: Tables, rules: Rules
) -> Findings:
    """All findings of at least one candle."""
    sides = both_sides(prices)
    atr = average_true_ranges(prices, rules)
    volumes = _all_volumes(time_ms, volume, rules)
    swings = find_swings(sides, rules)
    breaks = find_breaks(prices, swings[0], swings[1], rules)
    pools = find_pools(time_ms, sides, swings[0], atr, tables, rules)
    sweeps = find_sweeps(sides, volumes, pools[0], pools[1], rules, 0)
    return Findings(
        swings,
        breaks,
        find_gaps(sides, atr, volumes, rules),
        find_order_blocks(sides, atr, volumes, tables, rules),
        _upright(pools),
        sweeps,
        trend_strength(prices, breaks[0], rules),
        atr[-1],
    )


@compiled
def find_kept(
    time_ms: Int64s, prices: Values, volume: Float64s, tables: Tables, rules: Rules
) -> Findings:
    """What a view keeps of a window of at least one candle.

    Gaps that are not filled, blocks that are not invalidated, pools that are not taken and the
    sweeps of the last candles; all swings and breaks.
    """
    sides = both_sides(prices)
    atr = average_true_ranges(prices, rules)
    volumes = _volumes_asked(time_ms, volume)
    swings = find_swings(sides, rules)
    breaks = find_breaks(prices, swings[0], swings[1], rules)
    pools, sweeps = _resting(time_ms, sides, swings[0], atr, volumes, tables, rules)
    return Findings(
        swings,
        breaks,
        find_open_gaps(sides, atr, volumes, rules),
        find_standing_blocks(sides, atr, volumes, tables, rules),
        pools,
        sweeps,
        trend_strength(prices, breaks[0], rules),
        atr[-1],
    )


@compiled
def structure(prices: Values, rules: Rules) -> tuple[Rows, Rows, float, float]:
    """Swings, breaks, the trend's strength (0..100) and the ATR at the last candle."""
    swings = find_swings(both_sides(prices), rules)
    breaks = find_breaks(prices, swings[0], swings[1], rules)
    atr = average_true_ranges(prices, rules)[-1]
    return swings, breaks, trend_strength(prices, breaks[0], rules), atr


@compiled
def open_gaps(time_ms: Int64s, prices: Values, volume: Float64s, rules: Rules) -> Rows:
    """The gaps that are not filled."""
    atr = average_true_ranges(prices, rules)
    return find_open_gaps(both_sides(prices), atr, _volumes_asked(time_ms, volume), rules)


@compiled
def standing_blocks(
    time_ms: Int64s, prices: Values, volume: Float64s, tables: Tables, rules: Rules
) -> Rows:
    """The order blocks that are not invalidated."""
    atr, volumes = average_true_ranges(prices, rules), _volumes_asked(time_ms, volume)
    return find_standing_blocks(both_sides(prices), atr, volumes, tables, rules)


@compiled
def resting_liquidity(
    time_ms: Int64s, prices: Values, volume: Float64s, tables: Tables, rules: Rules
) -> tuple[Rows, Rows]:
    """The pools that are not taken, and the sweeps of the last candles."""
    sides = both_sides(prices)
    swings = find_swings(sides, rules)
    atr, volumes = average_true_ranges(prices, rules), _volumes_asked(time_ms, volume)
    return _resting(time_ms, sides, swings[0], atr, volumes, tables, rules)


@compiled
def score_ceilings(
    h4: Columns,
    h1: Columns,
    m15: Columns,
    ends: Table,
    threshold: float,
    tables: Tables,
    rules: Rules,
    votes: VoteRules,
) -> Values:
    """See `confluence.ceilings.ceiling`: by close and direction (0 BUY, 1 SELL), in points.

    ``ends`` says how many candles of H4, H1 and M15 had closed by each close, at least one of each.
    A ceiling begins at all points and falls by what each vote loses, those that are cheap to ask
    first. One that has fallen below the threshold is minus infinity, and no more is asked.
    """
    count = ends.shape[0]
    ceilings = np.full((count, 2), _whole_score(votes) + votes.rounding)
    if count == 0:
        return ceilings
    # The last windows of H4 and H1 serve several closes.
    h4_lost, h1_trend_lost, h1_lost = np.zeros(2), np.zeros(2), np.zeros(2)
    h4_end, h1_end, h1_found_end = _NEVER, _NEVER, _NEVER
    h1_found = _find_last(h1, 1, tables, rules, votes)
    for row in range(count):
        most = ceilings[row]
        if h4_end != ends[row, 0]:
            h4_end = ends[row, 0]
            h4_lost = _h4_lost(_find_last(h4, h4_end, tables, rules, votes), h4, h4_end, votes)
        if not _lower(most, h4_lost, threshold):
            continue
        if h1_end != ends[row, 1]:
            h1_end = ends[row, 1]
            h1_trend_lost = _h1_trend_lost(h1, h1_end, rules, votes)
        if not _lower(most, h1_trend_lost, threshold):
            continue
        # M15's structure before the rest of H1: it takes a tenth of the time.
        end = ends[row, 2]
        if not _lower(most, _m15_break_lost(m15, end, rules, votes), threshold):
            continue
        if h1_found_end != h1_end:
            h1_found_end = h1_end
            h1_found = _find_last(h1, h1_end, tables, rules, votes)
            h1_lost = _h1_lost(h1_found, h1, h1_end, votes)
        price = m15.prices[_CLOSE, end - 1]
        if not _lower(most, h1_lost, threshold):
            continue
        if not _lower(most, _zone_lost(h1_found, price, votes.h1_location, votes), threshold):
            continue
        found = _find_last(m15, end, tables, rules, votes)
        if _lower(most, _m15_lost(found, m15, end, votes), threshold):
            _lower(most, _zone_lost(found, price, votes.m15_location, votes), threshold)
    return ceilings


@compiled
def plan_closes(
    h4: Columns,
    h1: Columns,
    m15: Columns,
    ends: Table,
    possible: Flags,
    session: Float64s,
    bid: Float64s,
    ask: Float64s,
    tables: Tables,
    rules: Rules,
    votes: VoteRules,
    plan: PlanRules,
) -> tuple[Table, Values]:
    """What `confluence.decision.decide` says of closes, up to where it asks the account.

    ``ends`` as in `score_ceilings`; ``possible`` are the directions whose ceilings reach the
    threshold, ``session`` the share that M15's session earns, ``bid`` and ``ask`` the quotes to
    enter at. A row for each close: outcome and direction; the score's total, entry, stop, both
    targets, and the zone's top and bottom, as far as the outcome has them.
    """
    count = ends.shape[0]
    table, values = np.zeros((count, 2), dtype=np.int64), np.zeros((count, 7))
    if count == 0:
        return table, values
    of_h4, of_h1 = np.zeros(2), np.zeros(2)
    h4_found = _find_last(h4, ends[0, 0], tables, rules, votes)
    h1_found = _find_last(h1, ends[0, 1], tables, rules, votes)
    h4_end, h1_end = _NEVER, _NEVER
    for row in range(count):
        if h4_end != ends[row, 0]:
            h4_end = ends[row, 0]
            h4_found = _find_last(h4, h4_end, tables, rules, votes)
            of_h4 = _h4_points(h4_found, h4, h4_end, votes)
        if h1_end != ends[row, 1]:
            h1_end = ends[row, 1]
            h1_found = _find_last(h1, h1_end, tables, rules, votes)
            of_h1 = _h1_points(h1_found, h1, h1_end, votes)
        end = ends[row, 2]
        found = _find_last(m15, end, tables, rules, votes)
        price = m15.prices[_CLOSE, end - 1]
        totals = np.zeros(2)
        for direction in range(2):
            if possible[row, direction]:
                zone = _best_zone(h1_found, price, direction, votes)
                points = _points(votes.h1_location, zone.quality)
                points += _m15_points(found, m15, end, direction, session[row], votes)
                totals[direction] = (of_h4[direction] + of_h1[direction] + points) / 100
        table[row, 0], table[row, 1] = _chosen(totals, plan)
        values[row, 0] = totals[table[row, 1]]
        if table[row, 0] == PLANNED:
            _write_plan(
                table[row],
                values[row],
                h4_found,
                h1_found,
                found,
                price,
                bid[row],
                ask[row],
                min(end, votes.window),
                votes,
                plan,
            )
    return table, values


@compiled
def both_sides(prices: Values) -> Values:
    """Prices by side, column and candle: open, high, low and close as they are and upside down."""
    sides = np.empty((2, 4, prices.shape[1]))
    for i in range(prices.shape[1]):
        for column in range(4):
            sides[0, column, i] = prices[column, i]
        sides[1, _OPEN, i] = -prices[_OPEN, i]
        sides[1, _HIGH, i] = -prices[_LOW, i]
        sides[1, _LOW, i] = -prices[_HIGH, i]
        sides[1, _CLOSE, i] = -prices[_CLOSE, i]
    return sides


@compiled
def average_true_ranges(prices: Values, rules: Rules) -> Float64s:
    """See `measures.average_true_ranges`."""
    count = prices.shape[1]
    averages = np.empty(count)
    total = 0.0
    for i in range(count):
        high, low = prices[_HIGH, i], prices[_LOW, i]
        true_range = high - low
        if i > 0:
            before = prices[_CLOSE, i - 1]
            true_range = max(true_range, abs(high - before), abs(low - before))
        if i < rules.atr_period:
            total += true_range
            averages[i] = total / (i + 1)
        else:
            averages[i] = (averages[i - 1] * (rules.atr_period - 1) + true_range) / rules.atr_period
    return averages


@compiled
def relative_volumes(time_ms: Int64s, volume: Float64s, rules: Rules) -> Float64s:
    """See `measures.relative_volumes`; the hour's median stands between two heaps."""
    count = len(time_ms)
    hours = np.empty(count, dtype=np.int64)
    starts = np.zeros(25, dtype=np.int64)
    hour, begins = 0, _LONG_AGO_MS
    for i in range(count):
        # Candles of one hour follow each other; a division costs more than all the rest here.
        if not 0 <= time_ms[i] - begins < HOUR_MS:
            begins = time_ms[i] // HOUR_MS * HOUR_MS
            hour = begins // HOUR_MS % 24
        hours[i] = hour
        starts[hour + 1] += 1
    for hour in range(24):
        starts[hour + 1] += starts[hour]
    # Of each hour the smaller half, negated, and the larger half, the least of each on top.
    smaller, larger = np.empty(count), np.empty(count)
    smaller_sizes = np.zeros(24, dtype=np.int64)
    larger_sizes = np.zeros(24, dtype=np.int64)
    relative = np.empty(count)
    for i in range(count):
        hour = hours[i]
        lower = smaller[starts[hour] : starts[hour + 1]]
        upper = larger[starts[hour] : starts[hour + 1]]
        lower_size, upper_size = smaller_sizes[hour], larger_sizes[hour]
        if lower_size + upper_size >= rules.relvol_hour_candles:
            usual = -lower[0]
            if lower_size == upper_size:
                usual = (usual + upper[0]) / 2
        else:
            usual = _mean(volume, max(0, i - rules.relvol_candles), i)
        relative[i] = volume[i] / usual if usual != 0 else 1.0
        if lower_size == 0 or volume[i] <= -lower[0]:
            _push(lower, lower_size, -volume[i])
            lower_size += 1
        else:
            _push(upper, upper_size, volume[i])
            upper_size += 1
        if lower_size > upper_size + 1:
            _push(upper, upper_size, -_pop(lower, lower_size))
            lower_size, upper_size = lower_size - 1, upper_size + 1
        elif upper_size > lower_size:
            _push(lower, lower_size, -_pop(upper, upper_size))
            lower_size, upper_size = lower_size + 1, upper_size - 1
        smaller_sizes[hour], larger_sizes[hour] = lower_size, upper_size
    return relative


@compiled
def _all_volumes(time_ms: Int64s, volume: Float64s, rules: Rules) -> Volumes:
    """Volumes of which every relative one will be asked for."""
    return Volumes(volume, time_ms, relative_volumes(time_ms, volume, rules), volume)


@compiled
def _volumes_asked(time_ms: Int64s, volume: Float64s) -> Volumes:
    """Volumes of which few relative ones will be asked for."""
    count = len(time_ms)
    before, relative = np.empty(count, dtype=np.int64), np.full(count, np.nan)
    last = np.full(24, _NEVER)
    hour, begins = 0, _LONG_AGO_MS
    for i in range(count):
        if not 0 <= time_ms[i] - begins < HOUR_MS:
            begins = time_ms[i] // HOUR_MS * HOUR_MS
            hour = begins // HOUR_MS % 24
        before[i] = last[hour]
        last[hour] = i
    return Volumes(volume, before, relative, np.empty(count))


@compiled
def _relative_volume(volumes: Volumes, i: int, rules: Rules) -> float:
    """One of the `relative_volumes`."""
    if np.isnan(volumes.relative[i]):
        volume, alike = volumes.volume, volumes.room
        found, j = 0, volumes.before[i]
        while j != _NEVER:
            # A window has few candles of an hour: they are sorted as they come.
            place = found
            while place > 0 and alike[place - 1] > volume[j]:
                alike[place] = alike[place - 1]
                place -= 1
            alike[place] = volume[j]
            found += 1
            j = volumes.before[j]
        if found >= rules.relvol_hour_candles:
            usual = alike[found // 2]
            if found % 2 == 0:
                usual = (alike[found // 2 - 1] + usual) / 2
        else:
            usual = _mean(volume, max(0, i - rules.relvol_candles), i)
        volumes.relative[i] = volume[i] / usual if usual != 0 else 1.0
    return float(volumes.relative[i])


@compiled
def _loudest(volumes: Volumes, first: int, last: int, rules: Rules) -> float:
    """The highest relative volume of the candles ``first`` to ``last`` (inclusive)."""
    loudest = _relative_volume(volumes, first, rules)
    for i in range(first + 1, last + 1):
        loudest = max(loudest, _relative_volume(volumes, i, rules))
    return loudest


@compiled
def find_swings(sides: Values, rules: Rules) -> Rows:
    """See `swings.find_swings`: index, side, label; price.

    Labels are 0 for none, 1 and 2 for HH and LH, 3 and 4 for LL and HL.
    """
    count, length = sides.shape[2], rules.swing_length
    # Of two extremes of a side within the swing length one is in the other's way.
    room = 2 * (count // (length + 1) + 1)
    table, prices = np.empty((3, room), dtype=np.int64), np.empty((1, room))
    found = 0
    previous = np.full(2, np.nan)
    for i in range(length, count - length):
        for side in range(2):
            price = sides[side, _HIGH, i]
            stands_out = True
            for q in range(1, length + 1):
                if price <= sides[side, _HIGH, i - q] or price < sides[side, _HIGH, i + q]:
                    stands_out = False
                    break
            if not stands_out:
                continue
            label = 0
            if not np.isnan(previous[side]):
                label = 2 * side + (1 if price > previous[side] else 2)
            previous[side] = price
            table[0, found], table[1, found], table[2, found] = i, side, label
            prices[0, found] = price if side == 0 else -price
            found += 1
    return table[:, :found], prices[:, :found]


@compiled
def find_breaks(prices: Values, swings: Table, swing_prices: Values, rules: Rules) -> Rows:
    """See `structure.find_breaks`: index, kind (1 CHOCH), direction (0 up), swing index; level."""
    count = prices.shape[1]
    room = swings.shape[1]
    table, levels = np.empty((4, room), dtype=np.int64), np.empty((1, room))
    found, upcoming, trend = 0, 0, _NEVER
    reference = np.full(2, _NEVER)
    for i in range(count):
        while upcoming < swings.shape[1] and swings[0, upcoming] + rules.swing_length == i:
            reference[swings[1, upcoming]] = upcoming
            upcoming += 1
        close = prices[_CLOSE, i]
        if reference[0] != _NEVER and close > swing_prices[0, reference[0]]:
            direction = 0
        elif reference[1] != _NEVER and close < swing_prices[0, reference[1]]:
            direction = 1
        else:
            continue
        broken = reference[direction]
        table[0, found] = i
        table[1, found] = trend not in (_NEVER, direction)
        table[2, found] = direction
        table[3, found] = swings[0, broken]
        levels[0, found] = swing_prices[0, broken]
        found += 1
        reference[direction] = _NEVER
        trend = direction
    return table[:, :found], levels[:, :found]


@compiled
def trend_strength(prices: Values, breaks: Table, rules: Rules) -> float:
    """See `structure.trend_strength`."""
    found = breaks.shape[1]
    if found == 0:
        return 0.0
    in_trend = 0
    for event in range(found - 1, -1, -1):
        in_trend += 1
        if breaks[1, event] == 1:
            break
    in_trend = min(in_trend, rules.full_trend_breaks)
    last = prices.shape[1] - 1
    first = max(last - rules.efficiency_candles, 0)
    net = prices[_CLOSE, last] - prices[_CLOSE, first]
    walked = 0.0
    for m in range(first + 1, last + 1):
        walked += abs(prices[_CLOSE, m] - prices[_CLOSE, m - 1])
    against = net < 0 if breaks[2, found - 1] == 0 else net > 0
    efficiency = 0.0 if against or walked == 0 else abs(net) / walked
    return 100 * (
        rules.breaks_weight * in_trend / rules.full_trend_breaks
        + rules.efficiency_weight * efficiency
    )


@compiled
def find_gaps(sides: Values, atr: Float64s, volumes: Volumes, rules: Rules) -> Rows:
    """See `fair_value_gap.find_gaps`: index, side, touched, filled; top, bottom, strength, fill."""
    count = sides.shape[2]
    room = _count_gaps(sides)
    table, values = np.empty((4, room), dtype=np.int64), np.empty((4, room))
    found = 0
    # The gaps of a side that price has not come to, and not through; the next to be reached last.
    untouched = np.empty((2, room), dtype=np.int64)
    unfilled = np.empty((2, room), dtype=np.int64)
    touch, fill = np.empty(room), np.empty(room)
    untouched_sizes, unfilled_sizes = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for i in range(2, count):
        for side in range(2):
            high, low = sides[side, _HIGH], sides[side, _LOW]
            while untouched_sizes[side] > 0:
                last = untouched[side, untouched_sizes[side] - 1]
                if low[i] >= touch[last]:
                    break
                table[2, last] = i
                untouched_sizes[side] -= 1
            while unfilled_sizes[side] > 0:
                last = unfilled[side, unfilled_sizes[side] - 1]
                if low[i] > fill[last]:
                    break
                table[3, last] = i
                unfilled_sizes[side] -= 1
            bottom, top = high[i - 2], low[i]
            if bottom >= top:
                continue
            _write_gap(table, values, found, sides, atr, volumes, rules, i, side)
            touch[found], fill[found] = top, bottom
            _insert_by_level(untouched[side], untouched_sizes, side, touch, found)
            _insert_by_level(unfilled[side], unfilled_sizes, side, fill, found)
            found += 1
    _measure_fills(sides, table, touch, fill, values[3])
    return table, values


@compiled
def find_open_gaps(sides: Values, atr: Float64s, volumes: Volumes, rules: Rules) -> Rows:
    """Those of `find_gaps` that are not filled."""
    count = sides.shape[2]
    indices, lows = np.empty((2, count), dtype=np.int64), np.empty((2, count))
    left = np.zeros(2, dtype=np.int64)
    for side in range(2):
        high, low = sides[side, _HIGH], sides[side, _LOW]
        # From the last candle back a gap is open if its bottom is below every low so far: few are.
        lowest = np.inf
        for i in range(count - 1, 1, -1):
            before = lowest
            lowest = min(lowest, low[i])
            if high[i - 2] < lowest:
                indices[side, left[side]], lows[side, left[side]] = i, before
                left[side] += 1
    found = left[0] + left[1]
    table, values = np.empty((4, found), dtype=np.int64), np.empty((4, found))
    for row in range(found):
        side = _earlier(indices, indices, left)
        left[side] -= 1
        i, lowest = indices[side, left[side]], lows[side, left[side]]
        _write_gap(table, values, row, sides, atr, volumes, rules, i, side)
        bottom, top = sides[side, _HIGH, i - 2], sides[side, _LOW, i]
        if lowest < top:
            table[2, row] = i + 1
            while sides[side, _LOW, table[2, row]] >= top:
                table[2, row] += 1
        depth = top - lowest if i + 1 < count else 0.0
        values[3, row] = min(max(depth / (top - bottom), 0.0), 1.0)
    return table, values


@compiled
def _write_gap(
    table: Table,
    values: Values,
    row: int,
    sides: Values,
    atr: Float64s,
    volumes: Volumes,
    rules: Rules,
    i: int,
    side: int,
) -> None:
    """Write what is known of a gap at its third candle ``i``."""
    middle, bottom, top = i - 1, sides[side, _HIGH, i - 2], sides[side, _LOW, i]
    whole = sides[side, _HIGH, middle] - sides[side, _LOW, middle]
    body = abs(sides[side, _CLOSE, middle] - sides[side, _OPEN, middle])
    size = (top - bottom) / atr[middle] if atr[middle] != 0 else 1.0
    relvol = _relative_volume(volumes, middle, rules)
    table[0, row], table[1, row] = i, side
    table[2, row], table[3, row] = _NEVER, _NEVER
    values[0, row] = top if side == 0 else -bottom
    values[1, row] = bottom if side == 0 else -top
    values[2, row] = 100 * (
        rules.size_weight * min(size, 1.0)
        + rules.body_weight * (body / whole if whole != 0 else 0.0)
        + rules.volume_weight * min(relvol / rules.full_relvol, 1.0)
    )


@compiled
def _earlier(known_at: Table, index: Table, left: Int64s) -> int:
    """The side whose next finding was known earlier, of those known together the older one's.

    ``left`` is how many findings of each side are left, the latest in front.
    """
    if left[0] == 0 or left[1] == 0:
        return 0 if left[0] > 0 else 1
    first, second = left[0] - 1, left[1] - 1
    if known_at[0, first] != known_at[1, second]:
        return 0 if known_at[0, first] < known_at[1, second] else 1
    return 0 if index[0, first] <= index[1, second] else 1


@compiled
def _count_gaps(sides: Values) -> int:
    count = 0
    for side in range(2):
        high, low = sides[side, _HIGH], sides[side, _LOW]
        for i in range(2, len(high)):
            count += high[i - 2] < low[i]
    return count


@compiled
def _measure_fills(
    sides: Values, gaps: Table, top: Float64s, bottom: Float64s, depths: Float64s
) -> None:
    """Write how much of each gap price has traded back through, 0..1."""
    last = sides.shape[2] - 1
    lowest = np.full(2, np.inf)
    seen = np.full(2, last + 1)
    for gap in range(gaps.shape[1] - 1, -1, -1):
        index, side = gaps[0, gap], gaps[1, gap]
        while seen[side] > index + 1:
            seen[side] -= 1
            lowest[side] = min(lowest[side], sides[side, _LOW, seen[side]])
        depth = top[gap] - lowest[side] if index < last else 0.0
        depths[gap] = min(max(depth / (top[gap] - bottom[gap]), 0.0), 1.0)


@compiled
def find_order_blocks(
    sides: Values, atr: Float64s, volumes: Volumes, tables: Tables, rules: Rules
) -> Rows:
    """See `order_block.find_order_blocks`.

    Index, confirmed, side, high volume, rejection, near round, has gap, touched, invalidated;
    top, bottom, score.
    """
    count = sides.shape[2]
    # A candle becomes a block once at most.
    table, values = np.empty((9, count), dtype=np.int64), np.empty((3, count))
    found = 0
    # The last candle against the move, as long as it can still become a block.
    origin = np.full(2, _NEVER)
    # The blocks of a side that price has not come to, and not closed through.
    untouched = np.empty((2, count), dtype=np.int64)
    standing = np.empty((2, count), dtype=np.int64)
    tops, bottoms = np.empty(count), np.empty(count)
    untouched_sizes, standing_sizes = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for j in range(count):
        first = 1 if origin[1] < origin[0] else 0
        for side in (first, 1 - first):
            low, close = sides[side, _LOW, j], sides[side, _CLOSE, j]
            while untouched_sizes[side] > 0:
                last = untouched[side, untouched_sizes[side] - 1]
                if low > tops[last]:
                    break
                table[7, last] = j
                untouched_sizes[side] -= 1
            while standing_sizes[side] > 0:
                last = standing[side, standing_sizes[side] - 1]
                if close >= bottoms[last]:
                    break
                table[8, last] = j
                standing_sizes[side] -= 1
            if close < sides[side, _OPEN, j]:
                origin[side] = j if atr[j] != 0 else _NEVER
                continue
            i = origin[side]
            if i == _NEVER:
                continue
            if j - i > rules.impulse_candles:
                origin[side] = _NEVER
                continue
            if close - sides[side, _HIGH, i] < rules.displacement_atr * atr[i]:
                continue
            origin[side] = _NEVER
            _write_block(table, values, found, sides, atr, volumes, tables, rules, i, j, side)
            tops[found], bottoms[found] = sides[side, _HIGH, i], sides[side, _LOW, i]
            _insert_by_level(untouched[side], untouched_sizes, side, tops, found)
            _insert_by_level(standing[side], standing_sizes, side, bottoms, found)
            found += 1
    return table[:, :found], values[:, :found]


@compiled
def find_standing_blocks(
    sides: Values, atr: Float64s, volumes: Volumes, tables: Tables, rules: Rules
) -> Rows:
    """Those of `find_order_blocks` that are not invalidated."""
    count = sides.shape[2]
    indices = np.empty((2, count), dtype=np.int64)
    confirmed = np.empty((2, count), dtype=np.int64)
    left = np.zeros(2, dtype=np.int64)
    for side in range(2):
        open_, low, close = sides[side, _OPEN], sides[side, _LOW], sides[side, _CLOSE]
        # From the last candle back: no close behind the impulse may be below the block.
        lowest = np.inf
        for i in range(count - 1, -1, -1):
            behind = i + rules.impulse_candles + 1
            if behind < count:
                lowest = min(lowest, close[behind])
            if lowest < low[i] or close[i] >= open_[i] or atr[i] == 0:
                continue
            j = _confirmation(sides, atr, rules, i, side)
            if j == _NEVER or _lowest(close, j + 1, min(behind, count)) < low[i]:
                continue
            indices[side, left[side]], confirmed[side, left[side]] = i, j
            left[side] += 1
    found = left[0] + left[1]
    table, values = np.empty((9, found), dtype=np.int64), np.empty((3, found))
    for row in range(found):
        side = _earlier(confirmed, indices, left)
        left[side] -= 1
        i, j = indices[side, left[side]], confirmed[side, left[side]]
        _write_block(table, values, row, sides, atr, volumes, tables, rules, i, j, side)
        for t in range(j + 1, count):
            if sides[side, _LOW, t] <= sides[side, _HIGH, i]:
                table[7, row] = t
                break
    return table, values


@compiled
def _confirmation(sides: Values, atr: Float64s, rules: Rules, i: int, side: int) -> int:
    """The candle that makes a block of candle ``i``, -1 for none."""
    for j in range(i + 1, min(i + rules.impulse_candles + 1, sides.shape[2])):
        if sides[side, _CLOSE, j] < sides[side, _OPEN, j]:
            return _NEVER
        if sides[side, _CLOSE, j] - sides[side, _HIGH, i] >= rules.displacement_atr * atr[i]:
            return j
    return _NEVER


@compiled
def _write_block(
    table: Table,
    values: Values,
    row: int,
    sides: Values,
    atr: Float64s,
    volumes: Volumes,
    tables: Tables,
    rules: Rules,
    i: int,
    j: int,
    side: int,
) -> None:
    """Write what is known of the block of candle ``i`` at its confirmation ``j``."""
    top, bottom = sides[side, _HIGH, i], sides[side, _LOW, i]
    has_gap = False
    for m in range(max(i + 1, 2), j + 1):
        has_gap |= sides[side, _HIGH, m - 2] < sides[side, _LOW, m]
    wick, whole = sides[side, _CLOSE, i] - bottom, top - bottom
    rejection = whole != 0 and wick / whole > rules.rejection_wick
    high_volume = _loudest(volumes, i, j, rules) > rules.high_relvol
    near_round = _is_near_round(top, bottom, atr[i], tables.round_steps, rules)
    table[0, row], table[1, row], table[2, row] = i, j, side
    table[3, row], table[4, row] = high_volume, rejection
    table[5, row], table[6, row] = near_round, has_gap
    table[7, row], table[8, row] = _NEVER, _NEVER
    values[0, row] = top if side == 0 else -bottom
    values[1, row] = bottom if side == 0 else -top
    values[2, row] = (
        rules.block_base
        + rules.block_volume * high_volume
        + rules.block_rejection * rejection
        + rules.block_round * near_round
        + rules.block_gap * has_gap
    )


@compiled
def find_pools(
    time_ms: Int64s,
    sides: Values,
    swings: Table,
    atr: Float64s,
    tables: Tables,
    rules: Rules,
) -> Rows:
    """See `liquidity.find_pools`.

    Created, side, kind (0 swing, 1 PDH, 2 PDL, 3 PWH, 4 PWL), touches, taken, outcome (0 sweep,
    1 run, 2 pending, -1 not taken), reclaimed; price, upside down on the sell side.
    """
    count = len(time_ms)
    days = _trading_days(time_ms, tables)
    periods = 0
    for i in range(1, count):
        periods += days[i] != days[i - 1]
    room = swings.shape[1] + 4 * periods
    table, prices = np.empty((7, room), dtype=np.int64), np.empty((1, room))
    found, upcoming, day_start, week_start = 0, 0, 0, 0
    # The active pools of a side, the next to be taken last: a new high is below those that stand.
    active = np.empty((2, room), dtype=np.int64)
    sizes = np.zeros(2, dtype=np.int64)
    for i in range(count):
        for side in range(2):
            high = sides[side, _HIGH, i]
            while sizes[side] > 0 and high > prices[0, active[side, sizes[side] - 1]]:
                sizes[side] -= 1
                _take_pool(table, prices, active[side, sizes[side]], i, sides[side, _CLOSE], rules)
        new_day = i > 0 and days[i] != days[i - 1]
        new_week = new_day and (days[i] + _MONDAY) // 7 != (days[i - 1] + _MONDAY) // 7
        for side in range(2):
            if (
                upcoming < swings.shape[1]
                and swings[0, upcoming] + rules.swing_length == i
                and swings[1, upcoming] == side
            ):
                price = sides[side, _HIGH, swings[0, upcoming]]
                upcoming += 1
                tolerance = rules.equal_tolerance_atr * atr[i]
                equal = _equal_pool(table, prices, active[side], sizes[side], price, tolerance)
                if equal != _NEVER:
                    # An active pool is never below a later swing (that would have taken it, or
                    # stood in the swing's way), so that the pool's price is the higher already.
                    table[3, equal] += 1
                else:
                    _add_pool(table, prices, active[side], sizes, found, i, side, _SWING, price)
                    found += 1
            if new_day:
                price = sides[side, _HIGH, day_start:i].max()
                _add_pool(table, prices, active[side], sizes, found, i, side, _DAY[side], price)
                found += 1
            if new_week:
                price = sides[side, _HIGH, week_start:i].max()
                _add_pool(table, prices, active[side], sizes, found, i, side, _WEEK[side], price)
                found += 1
        if new_day:
            day_start = i
        if new_week:
            week_start = i
    return table[:, :found], prices[:, :found]


@compiled
def find_sweeps(
    sides: Values, volumes: Volumes, pools: Table, pool_prices: Values, rules: Rules, since: int
) -> Rows:
    """See `liquidity.find_sweeps`: index, taken, side taken, pool's kind, volume spike;
    price, penetration, wick, score. Those before candle ``since`` are left out.
    """
    count = sides.shape[2]
    # How many sweeps there are before each candle: where its own begin.
    starts = np.zeros(count + 1, dtype=np.int64)
    for pool in range(pools.shape[1]):
        if pools[5, pool] == _SWEPT and pools[6, pool] >= since:
            starts[pools[6, pool] + 1] += 1
    for i in range(count):
        starts[i + 1] += starts[i]
    found = starts[count]
    table, values = np.empty((5, found), dtype=np.int64), np.empty((4, found))
    for pool in range(pools.shape[1]):
        if pools[5, pool] != _SWEPT or pools[6, pool] < since:
            continue
        side, taken, index = pools[1, pool], pools[4, pool], pools[6, pool]
        price = pool_prices[0, pool]
        extreme = taken
        for m in range(taken + 1, index + 1):
            if sides[side, _HIGH, m] > sides[side, _HIGH, extreme]:
                extreme = m
        high, low = sides[side, _HIGH, extreme], sides[side, _LOW, extreme]
        body = max(sides[side, _OPEN, extreme], sides[side, _CLOSE, extreme])
        wick = (high - body) / (high - low) if high != low else 0.0
        spike = _loudest(volumes, taken, index, rules) > rules.spike_relvol
        place = starts[index]
        starts[index] += 1
        table[0, place], table[1, place], table[2, place] = index, taken, side
        table[3, place], table[4, place] = pools[2, pool], spike
        values[0, place] = price if side == 0 else -price
        values[1, place] = high - price
        values[2, place] = wick
        values[3, place] = (
            rules.sweep_base
            + rules.sweep_same_candle * (index == taken)
            + rules.sweep_spike * spike
            + rules.sweep_wick * (wick > rules.long_wick)
            + rules.sweep_pool * (pools[3, pool] >= rules.equal_touches or pools[2, pool] != _SWING)
        )
    return table, values


@compiled
def _resting(
    time_ms: Int64s,
    sides: Values,
    swings: Table,
    atr: Float64s,
    volumes: Volumes,
    tables: Tables,
    rules: Rules,
) -> tuple[Rows, Rows]:
    """The pools that are not taken, and the sweeps of the last candles."""
    pools = find_pools(time_ms, sides, swings, atr, tables, rules)
    since = len(time_ms) - rules.view_sweep_candles
    sweeps = find_sweeps(sides, volumes, pools[0], pools[1], rules, since)
    return _upright(_drop_ended(pools[0], pools[1], 4)), sweeps


@compiled
def _upright(pools: Rows) -> Rows:
    """Pools without `reclaimed`, and with their true prices."""
    table, prices = pools
    for pool in range(table.shape[1]):
        if table[1, pool] == 1:
            prices[0, pool] = -prices[0, pool]
    return table[:6], prices


@compiled
def _drop_ended(table: Table, values: Values, end: int) -> Rows:
    """The rows whose end, that column of ``table``, never came."""
    kept = 0
    for row in range(table.shape[1]):
        if table[end, row] == _NEVER:
            table[:, kept] = table[:, row]
            values[:, kept] = values[:, row]
            kept += 1
    return table[:, :kept], values[:, :kept]


@compiled
def _mean(values: Float64s, start: int, stop: int) -> float:
    total = 0.0
    for place in range(start, stop):
        total += values[place]
    return total / (stop - start) if stop > start else 0.0


@compiled
def _lowest(values: Float64s, start: int, stop: int) -> float:
    lowest = np.inf
    for place in range(start, stop):
        lowest = min(lowest, values[place])
    return lowest


@compiled
def _push(heap: Float64s, size: int, value: float) -> None:
    place = size
    while place > 0:
        parent = (place - 1) // 2
        if heap[parent] <= value:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = value


@compiled
def _pop(heap: Float64s, size: int) -> float:
    least, value = heap[0], heap[size - 1]
    place = 0
    while 2 * place + 1 < size - 1:
        child = 2 * place + 1
        if child + 1 < size - 1 and heap[child + 1] < heap[child]:
            child += 1
        if value <= heap[child]:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = value
    return float(least)


@compiled
def _insert_by_level(standing: Int64s, sizes: Int64s, side: int, level: Float64s, row: int) -> None:
    """Put a row among those of its side that are sorted by level, the highest last."""
    place = sizes[side]
    while place > 0 and level[standing[place - 1]] > level[row]:
        standing[place] = standing[place - 1]
        place -= 1
    standing[place] = row
    sizes[side] += 1


@compiled
def _is_near_round(
    top: float, bottom: float, atr: float, round_steps: Float64s, rules: Rules
) -> bool:
    place = int(np.searchsorted(round_steps, rules.round_step_atr * atr))
    step = round_steps[min(place, len(round_steps) - 1)]
    if np.floor(top / step) * step >= bottom:
        return True
    below, above = np.floor(bottom / step) * step, np.ceil(top / step) * step
    return bool(min(bottom - below, above - top) <= rules.near_round_atr * atr)


@compiled
def _trading_days(time_ms: Int64s, tables: Tables) -> Int64s:
    """See `calendar.trading_day`: days since 1970."""
    days = np.empty(len(time_ms), dtype=np.int64)
    place = 0
    if len(time_ms):
        place = max(np.searchsorted(tables.since_ms, time_ms[0], side="right") - 1, 0)
    day, begins = 0, _LONG_AGO_MS
    for i in range(len(time_ms)):
        while place + 1 < len(tables.since_ms) and tables.since_ms[place + 1] <= time_ms[i]:
            place += 1
            begins = _LONG_AGO_MS
        if not 0 <= time_ms[i] - begins < DAY_MS:
            shift = tables.ahead_ms[place] + 7 * HOUR_MS
            day = (time_ms[i] + shift) // DAY_MS
            begins = day * DAY_MS - shift
        days[i] = day
    return days


@compiled
def _take_pool(
    table: Table, prices: Values, pool: int, taken: int, close: Float64s, rules: Rules
) -> None:
    table[4, pool] = taken
    last = taken + rules.reclaim_candles
    for j in range(taken, min(last, len(close) - 1) + 1):
        if close[j] < prices[0, pool]:
            table[5, pool], table[6, pool] = _SWEPT, j
            return
    table[5, pool] = _RUN if last < len(close) else _PENDING


@compiled
def _equal_pool(
    table: Table, prices: Values, active: Int64s, size: int, price: float, tolerance: float
) -> int:
    """The nearest swing pool within the tolerance, -1 for none; all are at or above the price."""
    for place in range(size - 1, -1, -1):
        pool = active[place]
        if prices[0, pool] - price > tolerance:
            return _NEVER
        if table[2, pool] == _SWING:
            return int(pool)
    return _NEVER


@compiled
def _add_pool(
    table: Table,
    prices: Values,
    active: Int64s,
    sizes: Int64s,
    pool: int,
    created: int,
    side: int,
    kind: int,
    price: float,
) -> None:
    table[0, pool], table[1, pool], table[2, pool] = created, side, kind
    table[3, pool], table[4, pool] = 1, _NEVER
    table[5, pool], table[6, pool] = _NEVER, _NEVER
    prices[0, pool] = price
    place = sizes[side]
    while place > 0 and prices[0, active[place - 1]] < price:
        active[place] = active[place - 1]
        place -= 1
    active[place] = pool
    sizes[side] += 1


@compiled
def _whole_score(votes: VoteRules) -> float:
    return (
        votes.h4_structure
        + votes.h4_location
        + votes.h4_liquidity
        + votes.h1_structure
        + votes.h1_location
        + votes.h1_liquidity
        + votes.h1_momentum
        + votes.m15_structure
        + votes.m15_location
        + votes.m15_liquidity
        + votes.m15_momentum
        + votes.m15_context
    )


@compiled
def _lower(most: Float64s, lost: Float64s, threshold: float) -> bool:
    """Take the lost points off both ceilings; whether one is still at the threshold or above."""
    for direction in range(2):
        most[direction] -= lost[direction]
        if most[direction] < threshold:
            most[direction] = -np.inf
    return bool(max(most[0], most[1]) >= threshold)


@compiled
def _last_columns(candles: Columns, end: int, votes: VoteRules) -> Columns:
    """The window that ends before place ``end``."""
    start = max(end - votes.window, 0)
    # Contiguous, which is the one memory layout that the detectors are compiled for.
    prices = np.ascontiguousarray(candles.prices[:, start:end])
    return Columns(candles.time_ms[start:end], prices, candles.volume[start:end])


@compiled
def _find_last(
    candles: Columns, end: int, tables: Tables, rules: Rules, votes: VoteRules
) -> Findings:
    part = _last_columns(candles, end, votes)
    return find_kept(part.time_ms, part.prices, part.volume, tables, rules)


@compiled
def _h4_lost(found: Findings, h4: Columns, end: int, votes: VoteRules) -> Float64s:
    """The points that each direction loses on H4."""
    lost = np.empty(2)
    close = h4.prices[_CLOSE, end - 1]
    for direction in range(2):
        trend = _trend_share(found.breaks[0], found.strength, direction, votes)
        liquidity = _liquidity_share(found, close, min(end, votes.window), direction, votes)
        lost[direction] = (
            votes.h4_structure * (1 - trend)
            + votes.h4_location * (1 - _range_share(found.swings, close, direction))
            + votes.h4_liquidity * (1 - liquidity)
        )
    return lost


@compiled
def _h1_trend_lost(h1: Columns, end: int, rules: Rules, votes: VoteRules) -> Float64s:
    """What each direction loses to the trend of H1."""
    _, breaks, strength, _ = structure(_last_columns(h1, end, votes).prices, rules)
    lost = np.empty(2)
    for direction in range(2):
        share = _trend_share(breaks[0], strength, direction, votes)
        lost[direction] = votes.h1_structure * (1 - share)
    return lost


@compiled
def _h1_lost(found: Findings, h1: Columns, end: int, votes: VoteRules) -> Float64s:
    """What each direction loses to H1's liquidity and momentum."""
    lost = np.empty(2)
    close, candles = h1.prices[_CLOSE, end - 1], min(end, votes.window)
    for direction in range(2):
        liquidity = _liquidity_share(found, close, candles, direction, votes)
        momentum = _displacement_share(found.gaps, candles, direction, votes)
        lost[direction] = votes.h1_liquidity * (1 - liquidity) + votes.h1_momentum * (1 - momentum)
    return lost


@compiled
def _m15_break_lost(m15: Columns, end: int, rules: Rules, votes: VoteRules) -> Float64s:
    """What each direction loses to the last break of M15's structure."""
    breaks = structure(_last_columns(m15, end, votes).prices, rules)[1][0]
    lost = np.empty(2)
    for direction in range(2):
        share = _break_share(breaks, min(end, votes.window), direction, votes)
        lost[direction] = votes.m15_structure * (1 - share)
    return lost


@compiled
def _m15_lost(found: Findings, m15: Columns, end: int, votes: VoteRules) -> Float64s:
    """What each direction loses to M15's liquidity and momentum."""
    lost = np.empty(2)
    close, candles = m15.prices[_CLOSE, end - 1], min(end, votes.window)
    for direction in range(2):
        liquidity = _liquidity_share(found, close, candles, direction, votes)
        momentum = _displacement_share(found.gaps, candles, direction, votes)
        lost[direction] = votes.m15_liquidity * (1 - liquidity) + votes.m15_momentum * (
            1 - momentum
        )
    return lost


@compiled
def _zone_lost(found: Findings, price: float, points: float, votes: VoteRules) -> Float64s:
    """What each direction loses of the ``points`` for a zone at the price."""
    lost = np.empty(2)
    for direction in range(2):
        quality = _best_zone(found, price, direction, votes).quality
        lost[direction] = points * (1 - quality)
    return lost


@compiled
def _graded(quality: float, votes: VoteRules) -> float:
    """See `setup.graded`."""
    return float(votes.present + (1 - votes.present) * min(max(quality, 0.0), 1.0))


@compiled
def _trend_share(breaks: Table, strength: float, direction: int, votes: VoteRules) -> float:
    """See `votes.trend_vote`."""
    last = breaks.shape[1] - 1
    if last < 0 or breaks[2, last] != direction:
        return 0.0
    return _graded(strength / votes.full_trend, votes)


@compiled
def _range_share(swings: Rows, close: float, direction: int) -> float:
    """See `votes.dealing_range_vote`."""
    extremes = np.full(2, np.nan)
    for swing in range(swings[0].shape[1]):
        extremes[swings[0][1, swing]] = swings[1][0, swing]
    high, low = extremes[0], extremes[1]
    if not high > low:
        return 0.0
    position = (close - low) / (high - low)
    depth = 1 - position if direction == 0 else position
    return float(min(max(depth / 0.5, 0.0), 1.0))


@compiled
def _liquidity_share(
    found: Findings, close: float, candles: int, direction: int, votes: VoteRules
) -> float:
    """See `votes.liquidity_vote`."""
    best = 0.0
    sweeps, scores = found.sweeps[0], found.sweeps[1][3]
    for sweep in range(sweeps.shape[1]):
        age = candles - 1 - sweeps[0, sweep]
        # Taking liquidity on one side expects the reversal to the other.
        if sweeps[2, sweep] != direction and age < votes.memory:
            best = max(best, _graded(scores[sweep], votes) * (1 - 0.5 * age / votes.memory))
    pools, prices = found.pools
    for pool in range(pools.shape[1]):
        distance = prices[0, pool] - close if direction == 0 else close - prices[0, pool]
        if pools[1, pool] == direction and distance >= votes.draw_atr * found.atr:
            is_marked = pools[3, pool] >= 2 or pools[2, pool] != _SWING
            best = max(best, votes.marked_pull if is_marked else votes.swing_pull)
    return best


@compiled
def _displacement_share(gaps: Rows, candles: int, direction: int, votes: VoteRules) -> float:
    """See `votes.displacement_vote`."""
    best = 0.0
    for gap in range(gaps[0].shape[1]):
        if gaps[0][1, gap] == direction and gaps[0][0, gap] >= candles - votes.memory:
            best = max(best, _graded(gaps[1][2, gap] / 100, votes))
    return best


@compiled
def _break_share(breaks: Table, candles: int, direction: int, votes: VoteRules) -> float:
    """See `votes.break_vote`."""
    last = breaks.shape[1] - 1
    if last < 0 or breaks[2, last] != direction:
        return 0.0
    return float(1 - 0.5 * min((candles - 1 - breaks[0, last]) / votes.memory, 1.0))


class BestZone(NamedTuple):
    """See `setup.best_zone`; the quality is 0 where there is none."""

    quality: float
    distance: float
    formed_at: int
    top: float
    bottom: float


@compiled
def _best_zone(found: Findings, price: float, direction: int, votes: VoteRules) -> BestZone:
    """The zone of the highest quality, of equal ones the nearest, then the youngest."""
    best = BestZone(0.0, 0.0, 0, np.nan, np.nan)
    reach = votes.reach_atr * found.atr
    blocks, gaps = found.order_blocks, found.gaps
    of_blocks, of_gaps = np.zeros(blocks[0].shape[1]), np.zeros(gaps[0].shape[1])
    for block in range(len(of_blocks)):
        if blocks[0][2, block] == direction:
            top, bottom, score = blocks[1][0, block], blocks[1][1, block], blocks[1][2, block]
            near = _nearness(top, bottom, price, reach, direction)
            of_blocks[block] = _graded(score, votes) * near
            distance = _distance(top, bottom, price, direction)
            one = BestZone(of_blocks[block], distance, blocks[0][0, block], top, bottom)
            best = _better(best, one)
    for gap in range(len(of_gaps)):
        if gaps[0][1, gap] == direction:
            top, bottom, strength = gaps[1][0, gap], gaps[1][1, gap], gaps[1][2, gap]
            near = _nearness(top, bottom, price, reach, direction)
            of_gaps[gap] = _graded(strength / 100, votes) * near
            distance = _distance(top, bottom, price, direction)
            best = _better(best, BestZone(of_gaps[gap], distance, gaps[0][0, gap], top, bottom))
    for block in range(len(of_blocks)):
        for gap in range(len(of_gaps)):
            weaker = min(of_blocks[block], of_gaps[gap])
            block_top, block_bottom = blocks[1][0, block], blocks[1][1, block]
            gap_top, gap_bottom = gaps[1][0, gap], gaps[1][1, gap]
            if weaker > 0 and block_bottom <= gap_top and gap_bottom <= block_top:
                stronger = max(of_blocks[block], of_gaps[gap])
                distance = min(
                    _distance(block_top, block_bottom, price, direction),
                    _distance(gap_top, gap_bottom, price, direction),
                )
                both = BestZone(
                    min(stronger + votes.overlap_share * weaker, 1.0),
                    distance,
                    max(blocks[0][0, block], gaps[0][0, gap]),
                    max(block_top, gap_top),
                    min(block_bottom, gap_bottom),
                )
                best = _better(best, both)
    return best


@compiled
def _better(one: BestZone, other: BestZone) -> BestZone:
    """The other zone where it ranks higher."""
    if other.quality != one.quality:
        return other if other.quality > one.quality else one
    if other.distance != one.distance:
        return other if other.distance < one.distance else one
    return other if other.formed_at > one.formed_at else one


@compiled
def _distance(top: float, bottom: float, price: float, direction: int) -> float:
    """How far the price still is from the zone, 0 inside."""
    return max(price - top if direction == 0 else bottom - price, 0.0)


@compiled
def _nearness(top: float, bottom: float, price: float, reach: float, direction: int) -> float:
    """1 inside of a zone, falling to a half at the end of the reach before it, 0 beyond."""
    if direction == 0:
        within = bottom <= price and top > price - reach
    else:
        within = top >= price and bottom < price + reach
    if not within:
        return 0.0
    distance = _distance(top, bottom, price, direction)
    return 1 - 0.5 * distance / reach if distance > 0 else 1.0


@compiled
def _points(whole: float, share: float) -> float:
    """A vote in hundredths of a point, rounded to whole ones as Python's ``round(points, 2)``.

    It rounds the number that the double stands for, and halves to even: half a hundredth is common
    (9 points fall by 0.225 a candle), and nearly always a little more or less than half.
    """
    points = whole * min(max(share, 0.0), 1.0)
    hundredths = points * 100
    # What the product lost: both halves of the points times 100 are exact (Dekker's product).
    shifted = points * _HALF_OF_THE_BITS
    upper = shifted - (shifted - points)
    lost = (upper * 100 - hundredths) + (points - upper) * 100
    below = np.floor(hundredths)
    over = (hundredths - below - 0.5) + lost
    if over == 0:
        return float(below + below % 2)
    return float(below + (over > 0))


@compiled
def _h4_points(found: Findings, h4: Columns, end: int, votes: VoteRules) -> Float64s:
    """See `scoring.h4_votes`, by direction."""
    points = np.empty(2)
    close, candles = h4.prices[_CLOSE, end - 1], min(end, votes.window)
    for direction in range(2):
        trend = _trend_share(found.breaks[0], found.strength, direction, votes)
        place = _range_share(found.swings, close, direction)
        liquidity = _liquidity_share(found, close, candles, direction, votes)
        points[direction] = (
            _points(votes.h4_structure, trend)
            + _points(votes.h4_location, place)
            + _points(votes.h4_liquidity, liquidity)
        )
    return points


@compiled
def _h1_points(found: Findings, h1: Columns, end: int, votes: VoteRules) -> Float64s:
    """See `scoring.h4_h1_votes`, H1's by direction."""
    points = np.empty(2)
    close, candles = h1.prices[_CLOSE, end - 1], min(end, votes.window)
    for direction in range(2):
        trend = _trend_share(found.breaks[0], found.strength, direction, votes)
        liquidity = _liquidity_share(found, close, candles, direction, votes)
        momentum = _displacement_share(found.gaps, candles, direction, votes)
        points[direction] = (
            _points(votes.h1_structure, trend)
            + _points(votes.h1_liquidity, liquidity)
            + _points(votes.h1_momentum, momentum)
        )
    return points


@compiled
def _m15_points(
    found: Findings, m15: Columns, end: int, direction: int, session: float, votes: VoteRules
) -> float:
    """See `scoring.score_at`, M15's votes."""
    close, candles = m15.prices[_CLOSE, end - 1], min(end, votes.window)
    last_break = _break_share(found.breaks[0], candles, direction, votes)
    zone = _best_zone(found, close, direction, votes)
    liquidity = _liquidity_share(found, close, candles, direction, votes)
    momentum = _displacement_share(found.gaps, candles, direction, votes)
    return (
        _points(votes.m15_structure, last_break)
        + _points(votes.m15_location, zone.quality)
        + _points(votes.m15_liquidity, liquidity)
        + _points(votes.m15_momentum, momentum)
        + _points(votes.m15_context, session)
    )


@compiled
def _chosen(totals: Float64s, plan: PlanRules) -> tuple[int, int]:
    """The outcome and the better direction; BUY where both are equal."""
    direction = 0 if totals[0] >= totals[1] else 1
    if totals[direction] < plan.threshold:
        return BELOW_THRESHOLD, direction
    if totals[0] == totals[1]:
        return CONFLICTING, direction
    return PLANNED, direction


@compiled
def _write_plan(
    table: Int64s,
    values: Float64s,
    h4: Findings,
    h1: Findings,
    m15: Findings,
    price: float,
    bid: float,
    ask: float,
    candles: int,
    votes: VoteRules,
    plan: PlanRules,
) -> None:
    """Write the levels, or the outcome that refuses them: see `levels.find_levels`."""
    direction = table[1]
    sign, spread = 1 - 2 * direction, ask - bid
    entry = ask if direction == 0 else bid
    zone = _best_zone(h1, price, direction, votes)
    if zone.quality == 0:
        zone = _best_zone(m15, price, direction, votes)
    structure = _structure_price(zone, h1.atr, m15, direction, candles, votes, plan)
    # Not a number where there is none.
    if not (entry - structure) * sign > 0:
        table[0] = NO_STRUCTURE
        return
    behind = structure - (plan.stop_buffer_atr * m15.atr + spread) * sign
    nearest = entry - plan.minimum_risk_atr * m15.atr * sign
    stop = _outwards(min(behind, nearest) if sign > 0 else max(behind, nearest), -sign, plan)
    risk = abs(entry - stop)
    if risk == 0:
        table[0] = UNSURE
        return
    room = plan.target_buffer_atr * m15.atr + spread
    first, second = plan.minimum_risk_reward, np.inf
    for found in (h4, h1, m15):
        for pool in range(found.pools[0].shape[1]):
            if found.pools[0][1, pool] != direction:
                continue
            r = ((found.pools[1][0, pool] - entry) * sign - room) / risk
            if plan.take_profit_1_r <= r < first:
                first = r
            if plan.minimum_risk_reward <= r <= plan.maximum_risk_reward and r < second:
                second = r
    if first == plan.minimum_risk_reward:
        first = plan.take_profit_1_r
    if second == np.inf:
        second = max(plan.take_profit_2_r, plan.minimum_risk_reward)
    values[1], values[2] = entry, stop
    values[3] = _outwards(entry + min(first, second) * risk * sign, sign, plan)
    values[4] = _outwards(entry + second * risk * sign, sign, plan)
    grid = 10.0**plan.price_decimals
    top, bottom = max(structure, entry), min(structure, entry)
    if zone.quality > 0:
        top, bottom = zone.top, zone.bottom
    values[5], values[6] = np.rint(top * grid) / grid, np.rint(bottom * grid) / grid
    spreads = risk / spread if spread != 0 else np.inf
    if spreads < plan.minimum_risk_spreads - plan.tolerance:
        table[0] = RISK_BELOW_SPREADS
    elif risk > plan.maximum_risk_atr * h1.atr:
        table[0] = RISK_TOO_LARGE


@compiled
def _structure_price(
    zone: BestZone,
    h1_atr: float,
    m15: Findings,
    direction: int,
    candles: int,
    votes: VoteRules,
    plan: PlanRules,
) -> float:
    """See `levels._structure_price`, before it is asked whether the price is behind the entry."""
    sign = 1 - 2 * direction
    swept = _best_swept(m15, direction, candles, votes)
    if zone.quality > 0:
        price = zone.bottom if sign > 0 else zone.top
        return swept if 0 < (price - swept) * sign < h1_atr else price
    if not np.isnan(swept):
        return swept
    swings = m15.swings[0].shape[1]
    for swing in range(swings - 1, max(swings - plan.view_swings, 0) - 1, -1):
        # The lows (1) are behind a BUY (0).
        if m15.swings[0][1, swing] != direction:
            return float(m15.swings[1][0, swing])
    return np.nan


@compiled
def _best_swept(found: Findings, direction: int, candles: int, votes: VoteRules) -> float:
    """The extreme of the sweep that counts most: see `setup.best_sweep`; none is not a number."""
    extreme, most, youngest = np.nan, 0.0, _NEVER
    sweeps, prices = found.sweeps
    for sweep in range(sweeps.shape[1]):
        age = candles - 1 - sweeps[0, sweep]
        if sweeps[2, sweep] == direction or age >= votes.memory:
            continue
        worth = _graded(prices[3, sweep], votes) * (1 - 0.5 * age / votes.memory)
        if worth > most or (worth == most and sweeps[0, sweep] > youngest):
            most, youngest = worth, sweeps[0, sweep]
            away = -prices[1, sweep] if direction == 0 else prices[1, sweep]
            extreme = prices[0, sweep] + away
    return extreme


@compiled
def _outwards(price: float, sign: int, plan: PlanRules) -> float:
    """See `levels._outwards`."""
    exact = int(np.rint(price * 10.0**plan.grain))
    step = 10 ** (plan.grain - plan.digits)
    whole = -(-exact // step) if sign > 0 else exact // step
    return float(whole / 10.0**plan.digits)
