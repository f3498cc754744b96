"""The decision on one M15 close: a signal that a trader can take, or the first reason against it.

docs/domain/confluence.md, "The decision", lists the reasons in the order in which they are asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from signals_app.confluence.description import Description, describe
from signals_app.confluence.levels import Levels, find_levels, unsuitable_risk
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import (
    Exposure,
    account_protected,
    wrong_time,
    zone_traded,
)
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.scoring import Score, Views, best_direction
from signals_app.confluence.signal import TradingSignal, signal_id
from signals_app.confluence.sizing import lots_for_risk
from signals_app.market.calendar import session_at
from signals_app.market.candle import Timeframe
from signals_app.market.conversion import NoRate
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Tick


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one M15 close: the better direction's score, and a signal or a refusal."""

    score: Score
    signal: TradingSignal | None
    refusal: Refusal | None


def decide(
    instrument: Instrument,
    views: Views,
    entry: Tick,
    exposure: Exposure,
    parameters: Parameters,
    number_of_the_day: int,
    best_known: tuple[Score, float] | None = None,
    rate: Decimal | None = None,
) -> Verdict:
    """Decide the close of the M15 candle behind ``views``.

    ``views`` are H4, H1 and M15 in this order, ``entry`` is the first tick at or after the close,
    and ``number_of_the_day`` the number that a signal would have on its UTC day, from 1 on.
    ``best_known`` is what `best_direction` says of the views, where that is known already, ``rate``
    the day's price of the instrument's rate pair (`market.conversion`), where it has one.
    """
    best, other_total = best_known or best_direction(views)
    refusal = (
        warming_up([(view.timeframe, view.candles) for view in views], parameters)
        or below_threshold(best.direction, best.total, parameters)
        or _conflicting(best, other_total)
    )
    if refusal is not None:
        return Verdict(best, None, refusal)

    def levels() -> Levels | Refusal:
        return suitable_levels(instrument, views, best, entry, parameters)

    close_time_ms = views[2].close_time_ms
    order = ask_account(
        instrument, best.direction, close_time_ms, entry, exposure, parameters, levels, rate
    )
    if isinstance(order, Refusal):
        return Verdict(best, None, order)
    signal = signal_of(
        instrument,
        order,
        best.total,
        close_time_ms=close_time_ms,
        entry=entry,
        parameters=parameters,
        number_of_the_day=number_of_the_day,
        description=describe(views, best),
    )
    return Verdict(best, signal, None)


@dataclass(frozen=True, slots=True)
class Order:
    """What the account agreed to: where a trade begins and ends, and its size."""

    direction: Direction
    levels: Levels
    lots: Decimal


def ask_account(
    instrument: Instrument,
    direction: Direction,
    close_time_ms: int,
    entry: Tick,
    exposure: Exposure,
    parameters: Parameters,
    find: Callable[[], Levels | Refusal],
    rate: Decimal | None = None,
) -> Order | Refusal:
    """The order of a close whose score is high enough, or the first reason against it.

    ``find`` is asked for the levels, or for what is against them, once nothing before is. ``rate``
    as in `decide`.
    """
    refusal = wrong_time(close_time_ms, entry, parameters) or account_protected(
        instrument, entry, exposure, parameters
    )
    if refusal is not None:
        return refusal
    levels = find()
    if isinstance(levels, Refusal):
        return levels
    refusal = zone_traded(direction, levels, exposure)
    if refusal is not None:
        return refusal
    try:
        lots = lots_for_risk(
            instrument,
            balance=exposure.balance,
            risk_percentage=parameters.risk_percentage,
            distance=abs(as_decimal(levels.entry_price) - as_decimal(levels.stop_loss)),
            price=as_decimal(levels.stop_loss),
            rate=rate,
        )
    except NoRate as unknown:
        return Refusal(RefusalReason.NO_RATE, str(unknown))
    if not lots:
        return Refusal(
            RefusalReason.BELOW_MINIMUM_LOT,
            f"{parameters.risk_percentage:g} % of {exposure.balance:z,.2f} is less than "
            f"{instrument.minimum_lot} lots would risk",
        )
    return Order(direction, levels, lots)


def signal_of(
    instrument: Instrument,
    order: Order,
    confidence_score: float,
    *,
    close_time_ms: int,
    entry: Tick,
    parameters: Parameters,
    number_of_the_day: int,
    description: Description,
) -> TradingSignal:
    """The signal of an order at a close."""
    levels = order.levels
    return TradingSignal(
        signal_id=signal_id(instrument, close_time_ms, number_of_the_day),
        instrument=instrument.symbol,
        direction=order.direction,
        entry_price=levels.entry_price,
        stop_loss=levels.stop_loss,
        take_profit_1=levels.take_profit_1,
        take_profit_2=levels.take_profit_2,
        risk_reward_ratio=round(levels.risk_reward, 2),
        position_size=order.lots,
        risk_percentage=parameters.risk_percentage,
        setup_type=description.setup_type,
        market_structure=description.market_structure,
        confluence_factors=description.confluence_factors,
        confidence_score=confidence_score,
        h4_context=description.h4_context,
        h1_context=description.h1_context,
        m15_context=description.m15_context,
        timestamp_ms=close_time_ms,
        session=session_at(close_time_ms).value,
        zone_top=levels.zone_top,
        zone_bottom=levels.zone_bottom,
        entry_ordinal=entry.ordinal,
        entry_time_ms=entry.time_ms,
    )


def warming_up(windows: Iterable[tuple[Timeframe, int]], parameters: Parameters) -> Refusal | None:
    """The refusal where a window has too few candles; it comes before all others."""
    for timeframe, candles in windows:
        if candles < parameters.warm_up_candles:
            text = f"{candles} candles of {timeframe}, {parameters.warm_up_candles} are needed"
            return Refusal(RefusalReason.WARMING_UP, text)
    return None


def below_threshold(direction: Direction, total: float, parameters: Parameters) -> Refusal | None:
    """The refusal where the better direction's score is below the threshold."""
    if total < parameters.threshold:
        text = f"{direction} scores {total:z.2f} of {parameters.threshold:g}"
        return Refusal(RefusalReason.BELOW_THRESHOLD, text)
    return None


def _conflicting(best: Score, other_total: float) -> Refusal | None:
    if other_total == best.total:
        return Refusal(RefusalReason.CONFLICTING, f"BUY and SELL both score {best.total:z.2f}")
    return None


def suitable_levels(
    instrument: Instrument, views: Views, best: Score, entry: Tick, parameters: Parameters
) -> Levels | Refusal:
    """The levels of an entry at the quote, or what is against them."""
    levels = find_levels(instrument, views, best, entry, parameters)
    if levels is None:
        return Refusal(RefusalReason.NO_STRUCTURE, "no structure to put the stop behind")
    return unsuitable_risk(instrument, views, levels, entry, parameters) or levels
