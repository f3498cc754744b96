"""Where a trade begins and ends: entry, stop and targets from the structure around the price.

docs/domain/confluence.md, "The levels", says why each stands where it does.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.scoring import Score, Views
from signals_app.confluence.setup import opposing_pools, sweep_extreme
from signals_app.market.direction import Direction
from signals_app.market.instrument import PRICE_DECIMALS, Instrument
from signals_app.market.tick import Tick
from signals_app.smc.swings import SwingKind

#: Ratios of prices carry the rounding of doubles; a limit is met when it is met but for that.
TOLERANCE = 1e-9
#: Behind an instrument's digits so many decimals of a computed level are taken seriously.
_NOISELESS_DECIMALS = 3


def grain(instrument: Instrument) -> int:
    """The decimals of a computed level; what is left behind them is the rounding of doubles."""
    return max(PRICE_DECIMALS, instrument.digits + _NOISELESS_DECIMALS)


@dataclass(frozen=True, slots=True)
class Levels:
    """Where a trade would begin and end, and the zone it leans on; prices on the grid."""

    entry_price: float
    stop_loss: float
    take_profit_1: float
    take_profit_2: float
    zone_top: float
    zone_bottom: float

    @property
    def risk(self) -> float:
        """Entry to stop, in price."""
        return abs(self.entry_price - self.stop_loss)

    @property
    def risk_reward(self) -> float:
        """The second target's distance as a multiple of the risk."""
        return abs(self.take_profit_2 - self.entry_price) / self.risk


def find_levels(
    instrument: Instrument, views: Views, best: Score, entry: Tick, parameters: Parameters
) -> Levels | None:
    """The levels of an entry at the quote; `None` where no structure is behind the entry."""
    m15_atr, sign = views[2].structure.atr, best.direction.sign
    entry_price = entry.ask if best.direction is Direction.BUY else entry.bid
    structure = _structure_price(views, best, entry_price)
    if structure is None:
        return None
    # SELL stops are reached by the ask: the spread keeps it from touching a stop that price in the
    # chart (bid) never reached. BUY has the same room, so that both directions are alike.
    behind = structure - (parameters.stop_buffer_atr * m15_atr + entry.spread) * sign
    nearest = entry_price - parameters.minimum_risk_atr * m15_atr * sign
    stop_loss = _outwards(
        instrument, min(behind, nearest) if sign > 0 else max(behind, nearest), -sign
    )
    risk = abs(entry_price - stop_loss)
    room = parameters.target_buffer_atr * m15_atr + entry.spread
    take_profit_1, take_profit_2 = (
        _outwards(instrument, entry_price + r * risk * sign, sign)
        for r in _target_multiples(views, best.direction, entry_price, risk, room, parameters)
    )
    zone = best.zone
    return Levels(
        entry_price=entry_price,
        stop_loss=stop_loss,
        take_profit_1=take_profit_1,
        take_profit_2=take_profit_2,
        zone_top=instrument.quantise(zone.top if zone else max(structure, entry_price)),
        zone_bottom=instrument.quantise(zone.bottom if zone else min(structure, entry_price)),
    )


def unsuitable_risk(
    instrument: Instrument, views: Views, levels: Levels, entry: Tick, parameters: Parameters
) -> Refusal | None:
    """The refusal of a stop so near that the spread decides, or too far away."""
    spreads = levels.risk / entry.spread if entry.spread else math.inf
    if spreads < parameters.minimum_risk_spreads - TOLERANCE:
        text = f"the risk of {instrument.pips(levels.risk):g} pips is {spreads:z.1f} spreads"
        return Refusal(RefusalReason.RISK_BELOW_SPREADS, text)
    cap = parameters.maximum_risk_atr * views[1].structure.atr
    if levels.risk > cap:
        text = (
            f"the risk of {instrument.pips(levels.risk):g} pips is above "
            f"{parameters.maximum_risk_atr:g} H1 average true ranges"
        )
        return Refusal(RefusalReason.RISK_TOO_LARGE, text)
    return None


def _outwards(instrument: Instrument, price: float, sign: int) -> float:
    """The price on the digits that a broker takes orders in, rounded up (+1) or down (-1).

    Stops and targets both move away from the entry: no rounding breaks a limit set in R.
    """
    rounding = ROUND_CEILING if sign > 0 else ROUND_FLOOR
    decimals = grain(instrument)
    exact = Decimal(round(price * 10.0**decimals)).scaleb(-decimals)
    return float(exact.quantize(Decimal(1).scaleb(-instrument.digits), rounding))


def _structure_price(views: Views, best: Score, entry_price: float) -> float | None:
    """The price that proves the idea wrong, `None` where none is behind the entry.

    It is the zone's far end, or a sweep's extreme just beyond it; without a zone the sweep's
    extreme, and without either the last M15 swing.
    """
    sign, h1_atr = best.direction.sign, views[1].structure.atr
    swept = sweep_extreme(best.sweep) if best.sweep is not None else None
    if best.zone is not None:
        price: float | None = best.zone.bottom if sign > 0 else best.zone.top
        if swept is not None and price is not None and 0 < (price - swept) * sign < h1_atr:
            price = swept
    elif swept is not None:
        price = swept
    else:
        wanted = SwingKind.LOW if sign > 0 else SwingKind.HIGH
        swings = [swing.price for swing in views[2].structure.swings if swing.kind is wanted]
        price = swings[-1] if swings else None
    return price if price is not None and (entry_price - price) * sign > 0 else None


def _target_multiples(
    views: Views,
    direction: Direction,
    entry_price: float,
    risk: float,
    room: float,
    parameters: Parameters,
) -> tuple[float, float]:
    """Both targets as multiples of the risk: ``room`` before pools, else at fixed multiples."""
    pools = sorted(
        ((pool.price - entry_price) * direction.sign - room) / risk
        for view in views
        for pool in opposing_pools(view, direction)
    )
    nearest, least = parameters.take_profit_1_r, parameters.minimum_risk_reward
    first = next((r for r in pools if nearest <= r < least), nearest)
    before_pool = (r for r in pools if least <= r <= parameters.maximum_risk_reward)
    second = next(before_pool, max(parameters.take_profit_2_r, least))
    return min(first, second), second
