"""The decision on one M15 close: a signal that a trader can take, or the first reason against it.

docs/domain/confluence.md, "The decision", lists the reasons in the order in which they are asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from signals_app.confluence.description import context, market_structure, setup_type
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
        or wrong_time(views[2].close_time_ms, entry, parameters)
        or account_protected(instrument, entry, exposure, parameters)
    )
    if refusal is not None:
        return Verdict(best, None, refusal)
    levels = find_levels(instrument, views, best, entry, parameters)
    if levels is None:
        return _refused(best, RefusalReason.NO_STRUCTURE, "no structure to put the stop behind")
    refusal = unsuitable_risk(instrument, views, levels, entry, parameters) or zone_traded(
        best.direction, levels, exposure
    )
    if refusal is not None:
        return Verdict(best, None, refusal)
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
        return _refused(best, RefusalReason.NO_RATE, str(unknown))
    if not lots:
        return _refused(
            best,
            RefusalReason.BELOW_MINIMUM_LOT,
            f"{parameters.risk_percentage:g} % of {exposure.balance:z,.2f} is less than "
            f"{instrument.minimum_lot} lots would risk",
        )
    signal = _signal(instrument, views, best, levels, lots, entry, parameters, number_of_the_day)
    return Verdict(best, signal, None)


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


def _refused(best: Score, reason: RefusalReason, text: str) -> Verdict:
    return Verdict(best, None, Refusal(reason, text))


def _signal(
    instrument: Instrument,
    views: Views,
    best: Score,
    levels: Levels,
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
