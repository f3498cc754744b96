"""Planned closes: the kernel says what a decision says before it asks the account."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.confluence import planning
from signals_app.confluence.decision import suitable_levels
from signals_app.confluence.levels import Levels
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.planning import Closes, Plan, planner_of
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.scoring import best_direction
from signals_app.confluence.screening import ENDS
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.market.tick import Tick, quantise_all
from signals_app.smc.compiled import kernel
from signals_app.smc.readable import view
from tests.signals_app.confluence.walks import ends_of, markets

GOLD, EURUSD = DEFAULT_INSTRUMENTS[:2]
#: Each asks for another corner: no room, no buffers, targets that are near or far.
STRATEGIES = (
    {},
    {"minimum_risk_spreads": 0.0, "stop_buffer_atr": 0.0, "minimum_risk_atr": 0.0},
    {"maximum_risk_atr": 1.6, "take_profit_1_r": 2.5, "take_profit_2_r": 3.0},
    {"target_buffer_atr": 1.0, "minimum_risk_reward": 3.0, "maximum_risk_reward": 3.5},
)


def closes_of(market: dict[Timeframe, Candles], count: int, spread: float) -> Closes:
    """Some closes, each entered at its own price."""
    ends, m15 = ends_of(market, count), market[Timeframe.M15]
    last = ends[:, ENDS.index(Timeframe.M15)] - 1
    bid = m15.close[last]
    times = m15.time_ms[last] + Timeframe.M15.milliseconds
    return Closes(ends, times, bid, quantise_all(bid + spread))


def by_values(
    market: dict[Timeframe, Candles],
    closes: Closes,
    place: int,
    instrument: Instrument,
    parameters: Parameters,
) -> tuple | RefusalReason:
    """One close decided on values, as far as a plan goes."""
    views = tuple(
        view(market[name].window(end), name)
        for name, end in zip(ENDS, closes.ends[place].tolist(), strict=True)
    )
    best, other_total = best_direction(views)
    if best.total < parameters.threshold:
        return RefusalReason.BELOW_THRESHOLD
    if best.total == other_total:
        return RefusalReason.CONFLICTING
    bid, ask = float(closes.bid[place]), float(closes.ask[place])
    entry = Tick(1, int(closes.time_ms[place]), bid, ask)
    found = suitable_levels(instrument, views, best, entry, parameters)
    return best.direction, best.total, found.reason if isinstance(found, Refusal) else found


def shown(plan: Plan) -> tuple:
    return plan.direction, plan.total, plan.levels or plan.refusal


@settings(max_examples=20, deadline=None)
@given(
    markets(),
    st.sampled_from([30.0, 45.0, 60.0]),
    st.sampled_from([0.0, 0.3, 5.0]),
    st.sampled_from(STRATEGIES),
    st.sampled_from([GOLD, EURUSD]),
)
def test_the_kernel_plans_what_values_decide(
    market: dict[Timeframe, Candles],
    threshold: float,
    spread: float,
    strategy: dict[str, float],
    instrument: Instrument,
) -> None:
    parameters = replace(Parameters(), threshold=threshold, **strategy)
    closes = closes_of(market, 15, spread)

    planned = planner_of(market, instrument, parameters)(closes)

    plans = {plan.place: plan for plan in planned.plans}
    expected = [
        by_values(market, closes, place, instrument, parameters) for place in range(len(closes))
    ]
    for place, decided in enumerate(expected):
        if isinstance(decided, RefusalReason):
            assert place not in plans
        elif plans[place].levels is not None or plans[place].refusal is not None:
            assert shown(plans[place]) == decided
    for reason in (RefusalReason.BELOW_THRESHOLD, RefusalReason.CONFLICTING):
        assert planned.refused.get(reason, 0) == expected.count(reason)


@settings(max_examples=5, deadline=None)
@given(markets())
def test_nothing_is_left_to_values_where_there_is_something_to_risk(market) -> None:
    parameters = replace(Parameters(), threshold=30.0)

    planned = planner_of(market, GOLD, parameters)(closes_of(market, 40, 0.3))

    assert all(plan.levels is not None or plan.refusal is not None for plan in planned.plans)
    assert all(plan.levels is None or isinstance(plan.levels, Levels) for plan in planned.plans)


@settings(max_examples=1, deadline=None)
@given(markets())
def test_warming_up_compiles_all_that_planning_real_candles_needs(market) -> None:
    planning.warm_up()
    entries = kernel.score_ceilings, kernel.plan_closes
    compiled = [len(entry.signatures) for entry in entries]
    parameters = replace(Parameters(), threshold=60.0)
    planner_of(market, GOLD, parameters)(closes_of(market, 20, 0.3))
    assert [len(entry.signatures) for entry in entries] == compiled == [1, 1]


def test_no_closes_have_no_plans() -> None:
    nothing = {timeframe: Candles.of(()) for timeframe in ENDS}
    none = np.empty(0)
    closes = Closes(np.empty((0, 3), np.int64), np.empty(0, np.int64), none, none)

    planned = planner_of(nothing, GOLD, Parameters())(closes)

    assert (planned.plans, dict(planned.refused)) == ((), {})


@pytest.mark.parametrize("places", [slice(1, 3), np.array([1, 2])])
def test_closes_are_picked_by_places(places) -> None:
    numbers = np.arange(12)
    closes = Closes(numbers.reshape(4, 3), numbers[:4], numbers[:4] * 1.0, numbers[:4] * 2.0)

    picked = closes.at(places)

    assert len(picked) == 2
    assert picked.ends.tolist() == [[3, 4, 5], [6, 7, 8]]
    assert (picked.time_ms.tolist(), picked.ask.tolist()) == ([1, 2], [2.0, 4.0])
