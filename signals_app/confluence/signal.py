"""From three analysed timeframes and a quote to a signal that a trader can take, or a refusal."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.scoring import (
    Score,
    Views,
    contest,
    context,
    market_structure,
    setup_type,
)
from signals_app.confluence.setup import opposing_pools, sweep_extreme
from signals_app.confluence.sizing import NoRate, lots_for_risk
from signals_app.market.calendar import is_market_open, iso, session_at, utc, weekly_close
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.market.instrument import PRICE_DECIMALS, Instrument, as_decimal
from signals_app.market.tick import Tick
from signals_app.smc.swings import SwingKind

__all__ = [
    "Decision",
    "Direction",
    "Exposure",
    "Parameters",
    "Refusal",
    "RefusalReason",
    "TradedZone",
    "TradingSignal",
    "decide",
    "signal_as_json",
    "signal_id",
    "too_weak",
    "unripe",
]

_MINUTE_MS = 60_000
#: Ratios of prices carry the rounding of doubles; a limit is met when it is met but for that.
_TOLERANCE = 1e-9
#: Behind an instrument's digits so many decimals of a computed level are taken seriously.
_NOISELESS_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class TradedZone:
    """A zone that a trade was taken from, and which way."""

    direction: Direction
    top: Decimal
    bottom: Decimal


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the instrument's account stands just before an entry tick.

    `balance` and `profit_today` (trading day, realised) are in account currency. `traded_zones`
    are those of open trades and of trades younger than the zone memory. `last_loss_time_ms` is
    when the last losing trade closed, `None` where none did.
    """

    balance: Decimal
    open_trades: int = 0
    traded_zones: tuple[TradedZone, ...] = ()
    last_loss_time_ms: int | None = None
    profit_today: Decimal = Decimal(0)


class RefusalReason(StrEnum):
    """Why a decision made no signal."""

    WARMING_UP = "WARMING_UP"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    CONFLICTING = "CONFLICTING"
    ENTRY_TOO_LATE = "ENTRY_TOO_LATE"
    MARKET_CLOSED = "MARKET_CLOSED"
    NEAR_WEEKLY_CLOSE = "NEAR_WEEKLY_CLOSE"
    SPREAD_TOO_WIDE = "SPREAD_TOO_WIDE"
    TOO_MANY_TRADES = "TOO_MANY_TRADES"
    COOLING_DOWN = "COOLING_DOWN"
    DAILY_LOSS = "DAILY_LOSS"
    NO_STRUCTURE = "NO_STRUCTURE"
    RISK_BELOW_SPREADS = "RISK_BELOW_SPREADS"
    RISK_TOO_LARGE = "RISK_TOO_LARGE"
    ZONE_TRADED = "ZONE_TRADED"
    NO_RATE = "NO_RATE"
    BELOW_MINIMUM_LOT = "BELOW_MINIMUM_LOT"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no signal: a code for programs, a sentence for people."""

    reason: RefusalReason
    text: str


@dataclass(frozen=True, slots=True)
class TradingSignal:
    """A trade to take now. Prices are on the grid, `position_size` is in lots.

    `timestamp_ms` is the candle's close that it was decided on; `entry_ordinal` and
    `entry_time_ms` are the tick that it is entered at. `confidence_score` is 0..100.
    """

    signal_id: str
    instrument: str
    direction: Direction
    entry_price: float
    stop_loss: float
    take_profit_1: float
    take_profit_2: float
    risk_reward_ratio: float
    position_size: Decimal
    risk_percentage: float
    setup_type: str
    market_structure: str
    confluence_factors: tuple[str, ...]
    confidence_score: float
    h4_context: str
    h1_context: str
    m15_context: str
    timestamp_ms: int
    session: str
    zone_top: float
    zone_bottom: float
    entry_ordinal: int
    entry_time_ms: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of one M15 close: the better direction's score, and a signal or a refusal."""

    score: Score
    signal: TradingSignal | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class _Levels:
    """Where a trade would begin and end, and the zone it leans on; prices on the grid."""

    entry_price: float
    stop_loss: float
    take_profit_1: float
    take_profit_2: float
    zone_top: float
    zone_bottom: float

    @property
    def risk(self) -> float:
        return abs(self.entry_price - self.stop_loss)

    @property
    def risk_reward(self) -> float:
        return abs(self.take_profit_2 - self.entry_price) / self.risk


def decide(
    instrument: Instrument,
    views: Views,
    entry: Tick,
    exposure: Exposure,
    parameters: Parameters,
    number_of_the_day: int,
    contested: tuple[Score, float] | None = None,
) -> Decision:
    """Return what the close of the M15 candle behind ``views`` leads to.

    ``views`` are H4, H1 and M15 in this order, ``entry`` is the first tick at or after the close,
    and ``number_of_the_day`` the number that a signal would have on its UTC day, from 1 on.
    ``contested`` is what `contest` says of the views, where that is known already.
    """
    best, other_total = contested or contest(views)
    refusal = (
        unripe([(view.timeframe, view.candles) for view in views], parameters)
        or too_weak(best.direction, best.total, parameters)
        or _conflicting(best, other_total)
        or _wrong_time(views[2].close_time_ms, entry, parameters)
        or _protected(instrument, entry, exposure, parameters)
    )
    if refusal is not None:
        return Decision(best, None, refusal)
    levels = _levels(instrument, views, best, entry, parameters)
    if levels is None:
        return _refused(best, RefusalReason.NO_STRUCTURE, "no structure to put the stop behind")
    refusal = _bad_levels(instrument, views, levels, entry, parameters) or _zone_traded(
        best.direction, levels, exposure
    )
    if refusal is not None:
        return Decision(best, None, refusal)
    try:
        lots = lots_for_risk(
            instrument,
            balance=exposure.balance,
            risk_percentage=parameters.risk_percentage,
            distance=abs(as_decimal(levels.entry_price) - as_decimal(levels.stop_loss)),
            price=as_decimal(levels.stop_loss),
        )
    except NoRate as unknown:
        return _refused(best, RefusalReason.NO_RATE, str(unknown))
    if not lots:
        return _refused(
            best,
            RefusalReason.BELOW_MINIMUM_LOT,
            f"{parameters.risk_percentage:g} % of {exposure.balance:,.2f} is less than "
            f"{instrument.minimum_lot} lots would risk",
        )
    signal = _signal(instrument, views, best, levels, lots, entry, parameters, number_of_the_day)
    return Decision(best, signal, None)


def unripe(windows: Iterable[tuple[Timeframe, int]], parameters: Parameters) -> Refusal | None:
    """Return the refusal where a window has too few candles; it comes before all others."""
    for timeframe, candles in windows:
        if candles < parameters.warm_up_candles:
            text = f"{candles} candles of {timeframe}, {parameters.warm_up_candles} are needed"
            return Refusal(RefusalReason.WARMING_UP, text)
    return None


def too_weak(direction: Direction, total: float, parameters: Parameters) -> Refusal | None:
    """Return the refusal where the better direction's score is below the threshold."""
    if total < parameters.threshold:
        text = f"{direction} scores {total:.2f} of {parameters.threshold:g}"
        return Refusal(RefusalReason.BELOW_THRESHOLD, text)
    return None


def signal_id(instrument: Instrument, close_time_ms: int, number_of_the_day: int) -> str:
    """Return a signal's id: prefix, UTC date of the candle's close, running number of the day."""
    return f"{instrument.signal_prefix}_{utc(close_time_ms):%Y%m%d}_{number_of_the_day:03d}"


def signal_as_json(signal: TradingSignal) -> dict[str, Any]:
    """Return the signal as `manage.py backtest` and `export` print it."""
    return {
        "signal_id": signal.signal_id,
        "instrument": signal.instrument,
        "direction": signal.direction.value,
        "entry_price": signal.entry_price,
        "stop_loss": signal.stop_loss,
        "take_profit_1": signal.take_profit_1,
        "take_profit_2": signal.take_profit_2,
        "risk_reward_ratio": signal.risk_reward_ratio,
        "position_size": float(signal.position_size),
        "risk_percentage": signal.risk_percentage,
        "setup_type": signal.setup_type,
        "market_structure": signal.market_structure,
        "confluence_factors": list(signal.confluence_factors),
        "confidence_score": signal.confidence_score,
        "h4_context": signal.h4_context,
        "h1_context": signal.h1_context,
        "m15_context": signal.m15_context,
        "timestamp": iso(signal.timestamp_ms),
        "session": signal.session,
        "zone_top": signal.zone_top,
        "zone_bottom": signal.zone_bottom,
        "entry_time": iso(signal.entry_time_ms),
        "entry_ordinal": signal.entry_ordinal,
    }


def _refused(best: Score, reason: RefusalReason, text: str) -> Decision:
    return Decision(best, None, Refusal(reason, text))


def _conflicting(best: Score, other_total: float) -> Refusal | None:
    if other_total == best.total:
        return Refusal(RefusalReason.CONFLICTING, f"BUY and SELL both score {best.total:.2f}")
    return None


def _wrong_time(close_time_ms: int, entry: Tick, parameters: Parameters) -> Refusal | None:
    late = entry.time_ms - close_time_ms
    if late > parameters.maximum_entry_delay_ms:
        text = f"market closed: the first tick came {late / _MINUTE_MS:,.0f} minutes later"
        return Refusal(RefusalReason.ENTRY_TOO_LATE, text)
    if not is_market_open(entry.time_ms):
        return Refusal(RefusalReason.MARKET_CLOSED, "the week is closed")
    left = (weekly_close(entry.time_ms) - entry.time_ms) / _MINUTE_MS
    if left <= parameters.weekly_close_minutes:
        text = f"the week closes in {left:.0f} minutes"
        return Refusal(RefusalReason.NEAR_WEEKLY_CLOSE, text)
    return None


def _protected(
    instrument: Instrument, entry: Tick, exposure: Exposure, parameters: Parameters
) -> Refusal | None:
    spread_pips = instrument.pips(entry.spread)
    if spread_pips > parameters.maximum_spread_pips:
        text = f"the spread is {spread_pips:g} pips, above {parameters.maximum_spread_pips:g}"
        return Refusal(RefusalReason.SPREAD_TOO_WIDE, text)
    if exposure.open_trades >= parameters.maximum_open_trades:
        text = f"{exposure.open_trades} trades are open"
        return Refusal(RefusalReason.TOO_MANY_TRADES, text)
    day_began_with = exposure.balance - exposure.profit_today
    limit = day_began_with * Decimal(str(parameters.daily_loss_percentage)) / 100
    if exposure.profit_today < 0 and -exposure.profit_today >= limit:
        text = f"today lost {-exposure.profit_today:,.2f}, the limit is {limit:,.2f}"
        return Refusal(RefusalReason.DAILY_LOSS, text)
    if exposure.last_loss_time_ms is not None:
        since = (entry.time_ms - exposure.last_loss_time_ms) / _MINUTE_MS
        if since < parameters.cool_down_minutes:
            return Refusal(RefusalReason.COOLING_DOWN, f"the last loss is {since:.0f} minutes old")
    return None


def _levels(
    instrument: Instrument, views: Views, best: Score, entry: Tick, parameters: Parameters
) -> _Levels | None:
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
    return _Levels(
        entry_price=entry_price,
        stop_loss=stop_loss,
        take_profit_1=take_profit_1,
        take_profit_2=take_profit_2,
        zone_top=instrument.quantise(zone.top if zone else max(structure, entry_price)),
        zone_bottom=instrument.quantise(zone.bottom if zone else min(structure, entry_price)),
    )


def _outwards(instrument: Instrument, price: float, sign: int) -> float:
    """Return the price on the digits that a broker takes orders in, rounded up (+1) or down (-1).

    Stops and targets both move away from the entry: no rounding breaks a limit set in R.
    """
    rounding = ROUND_CEILING if sign > 0 else ROUND_FLOOR
    # What is left of a sum behind the decimals that follow the digits is the rounding of doubles.
    decimals = max(PRICE_DECIMALS, instrument.digits + _NOISELESS_DECIMALS)
    exact = Decimal(round(price * 10.0**decimals)).scaleb(-decimals)
    return float(exact.quantize(Decimal(1).scaleb(-instrument.digits), rounding))


def _structure_price(views: Views, best: Score, entry_price: float) -> float | None:
    """Return the price that proves the idea wrong, `None` where none is behind the entry.

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
    """Return both targets as multiples of the risk: before pools, else at fixed multiples."""
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


def _bad_levels(
    instrument: Instrument, views: Views, levels: _Levels, entry: Tick, parameters: Parameters
) -> Refusal | None:
    spreads = levels.risk / entry.spread if entry.spread else math.inf
    if spreads < parameters.minimum_risk_spreads - _TOLERANCE:
        text = f"the risk of {instrument.pips(levels.risk):g} pips is {spreads:.1f} spreads"
        return Refusal(RefusalReason.RISK_BELOW_SPREADS, text)
    cap = parameters.maximum_risk_atr * views[1].structure.atr
    if levels.risk > cap:
        text = (
            f"the risk of {instrument.pips(levels.risk):g} pips is above "
            f"{parameters.maximum_risk_atr:g} H1 average true ranges"
        )
        return Refusal(RefusalReason.RISK_TOO_LARGE, text)
    return None


def _zone_traded(direction: Direction, levels: _Levels, exposure: Exposure) -> Refusal | None:
    top, bottom = as_decimal(levels.zone_top), as_decimal(levels.zone_bottom)
    for zone in exposure.traded_zones:
        if zone.direction is direction and zone.bottom <= top and bottom <= zone.top:
            text = f"{direction} from {zone.bottom:,f}-{zone.top:,f} was taken already"
            return Refusal(RefusalReason.ZONE_TRADED, text)
    return None


def _signal(
    instrument: Instrument,
    views: Views,
    best: Score,
    levels: _Levels,
    lots: Decimal,
    entry: Tick,
    parameters: Parameters,
    number_of_the_day: int,
) -> TradingSignal:
    close_time_ms = views[2].close_time_ms
    h4_context, h1_context, m15_context = (context(view, best) for view in views)
    return TradingSignal(
        signal_id=signal_id(instrument, close_time_ms, number_of_the_day),
        instrument=instrument.symbol,
        direction=best.direction,
        entry_price=levels.entry_price,
        stop_loss=levels.stop_loss,
        take_profit_1=levels.take_profit_1,
        take_profit_2=levels.take_profit_2,
        risk_reward_ratio=round(levels.risk_reward, 2),
        position_size=lots,
        risk_percentage=parameters.risk_percentage,
        setup_type=setup_type(best),
        market_structure=market_structure(views, best.direction),
        confluence_factors=tuple(r.text for r in best.reasons if r.points > 0),
        confidence_score=best.total,
        h4_context=h4_context,
        h1_context=h1_context,
        m15_context=m15_context,
        timestamp_ms=close_time_ms,
        session=session_at(close_time_ms).value,
        zone_top=levels.zone_top,
        zone_bottom=levels.zone_bottom,
        entry_ordinal=entry.ordinal,
        entry_time_ms=entry.time_ms,
    )
