"""What M15 closes come to before the account is asked, for many closes at once.

The kernel weighs and plans in columns what `decision.decide` does with values, close by close; a
test holds both equal. It holds no lock of the interpreter's, so that several threads may plan
different closes of one market side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from signals_app.confluence.ceilings import lost_to_the_session
from signals_app.confluence.levels import TOLERANCE, Levels, grain
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.screening import ENDS, columns_of, screen_of, vote_rules
from signals_app.confluence.votes import session_share
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, PRICE_DECIMALS, Instrument
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.views import VIEW_SWINGS

if TYPE_CHECKING:
    from signals_app.smc.compiled.kernel import PlanRules

_DIRECTIONS = tuple(Direction)


@dataclass(frozen=True, slots=True, eq=False)
class Closes:
    """M15 closes as columns: how many candles of H4, H1 and M15 had closed, and when (Unix ms).

    `bid` and `ask` are the quotes that a trade would be entered at.
    """

    ends: Int64s
    time_ms: Int64s
    bid: Float64s
    ask: Float64s

    def __len__(self) -> int:
        return len(self.time_ms)

    def at(self, places: Int64s | slice) -> "Closes":
        """The closes at these places, in their order."""
        return Closes(self.ends[places], self.time_ms[places], self.bid[places], self.ask[places])


@dataclass(frozen=True, slots=True)
class Plan:
    """A close that reached the threshold; `place` is its own among the closes that were asked.

    It has `levels`, or the reason of a `refusal` that needs them. Where it has neither, only the
    values of the close can tell.
    """

    place: int
    directions: tuple[Direction, ...]
    direction: Direction
    total: float
    levels: Levels | None
    refusal: RefusalReason | None


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of some closes, in their order; the rest were `refused`, counted by reason."""

    plans: tuple[Plan, ...]
    refused: Mapping[RefusalReason, int]


#: Plans closes of one market.
Planner: TypeAlias = Callable[[Closes], Planned]


def planner_of(
    candles: Mapping[Timeframe, Candles], instrument: Instrument, parameters: Parameters
) -> Planner:
    """What plans M15 closes of these candles, each with at least one candle of H4, H1 and M15."""
    # Only now: importing numba takes most of a second, which not every command should pay.
    from signals_app.smc.compiled import kernel
    from signals_app.smc.compiled.rules import RULES, tables

    threshold = float(parameters.threshold)
    screen = screen_of(candles, threshold)
    market = columns_of(candles)
    rules = _plan_rules(instrument, parameters)
    refusals = {
        kernel.NO_STRUCTURE: RefusalReason.NO_STRUCTURE,
        kernel.RISK_BELOW_SPREADS: RefusalReason.RISK_BELOW_SPREADS,
        kernel.RISK_TOO_LARGE: RefusalReason.RISK_TOO_LARGE,
    }

    def plan(closes: Closes) -> Planned:
        ceilings = screen(closes.ends)
        near = np.flatnonzero((ceilings >= threshold).any(axis=1))
        times = closes.time_ms[near].tolist()
        lost = np.array([lost_to_the_session(time_ms) for time_ms in times])
        possible = ceilings[near] - lost[:, np.newaxis] >= threshold
        is_hopeful = possible.any(axis=1)
        near, possible = near[is_hopeful], possible[is_hopeful]
        hopeful = closes.at(near)
        table, values = kernel.plan_closes(
            *market,
            hopeful.ends,
            possible,
            np.array([session_share(time_ms) for time_ms in hopeful.time_ms.tolist()], np.float64),
            hopeful.bid,
            hopeful.ask,
            tables(),
            RULES,
            vote_rules(),
            rules,
        )
        outcomes = table[:, 0]
        conflicting = int((outcomes == kernel.CONFLICTING).sum())
        kept = np.flatnonzero(
            (outcomes != kernel.CONFLICTING) & (outcomes != kernel.BELOW_THRESHOLD)
        )
        rows = zip(
            near[kept].tolist(),
            possible[kept].tolist(),
            table[kept].tolist(),
            values[kept].tolist(),
            strict=True,
        )
        plans = tuple(
            Plan(
                place,
                tuple(one for one, can in zip(_DIRECTIONS, each, strict=True) if can),
                _DIRECTIONS[direction],
                numbers[0],
                Levels(*numbers[1:]) if outcome == kernel.PLANNED else None,
                refusals.get(outcome),
            )
            for place, each, (outcome, direction), numbers in rows
        )
        below = len(closes) - len(plans) - conflicting
        counted = {
            RefusalReason.BELOW_THRESHOLD: below,
            RefusalReason.CONFLICTING: conflicting,
        }
        return Planned(plans, {reason: count for reason, count in counted.items() if count})

    return plan


def warm_up() -> None:
    """Load (the first time on a machine: compile) what screens and plans closes."""
    price = np.ones(1)
    candle = Candles(np.zeros(1, dtype=np.int64), price, price, price, price, price)
    plan = planner_of(dict.fromkeys(ENDS, candle), DEFAULT_INSTRUMENTS[0], Parameters())
    plan(Closes(np.ones((1, len(ENDS)), dtype=np.int64), candle.time_ms, price, price))


def _plan_rules(instrument: Instrument, parameters: Parameters) -> "PlanRules":
    from signals_app.smc.compiled.kernel import PlanRules

    return PlanRules(
        threshold=float(parameters.threshold),
        stop_buffer_atr=float(parameters.stop_buffer_atr),
        minimum_risk_atr=float(parameters.minimum_risk_atr),
        maximum_risk_atr=float(parameters.maximum_risk_atr),
        minimum_risk_spreads=float(parameters.minimum_risk_spreads),
        target_buffer_atr=float(parameters.target_buffer_atr),
        take_profit_1_r=float(parameters.take_profit_1_r),
        take_profit_2_r=float(parameters.take_profit_2_r),
        minimum_risk_reward=float(parameters.minimum_risk_reward),
        maximum_risk_reward=float(parameters.maximum_risk_reward),
        tolerance=TOLERANCE,
        digits=int(instrument.digits),
        grain=grain(instrument),
        price_decimals=PRICE_DECIMALS,
        view_swings=VIEW_SWINGS,
    )
