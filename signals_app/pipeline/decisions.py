"""The closes of a symbol decided one after the other, in candle order."""

from collections.abc import Iterable
from decimal import Decimal

import structlog
from django.db import transaction
from django.utils import timezone

from signals_app import metrics
from signals_app.confluence import decision as core
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.market import calendar, instrument
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick
from signals_app.models import Analysis, Decision, Instrument, Signal, Strategy
from signals_app.pipeline.analysis import views_of, windows_of
from signals_app.pipeline.ports import trade_book
from signals_app.pipeline.record import link_signal
from signals_app.services.locks import lock_decisions
from signals_app.services.probabilities import note_probability

log = structlog.get_logger(__name__)

_DECIDED_AT_ONCE = 500
#: What deciding a close writes.
_DECIDED = ("outcome", "reason", "text", "strategy", "decided_at")
#: The operator's own reason, beside the core's.
INSTRUMENT_OFF = "INSTRUMENT_OFF"


def decide_closes(symbol: str) -> str | None:
    """Decide a symbol's closes in candle order, up to the first that makes a signal.

    Returns the id of the signal whose trade is to be opened next: one just made, or one that an
    earlier call left behind. `None` where nothing more can be decided now.
    """
    with transaction.atomic():
        lock_decisions(symbol)
        waiting = list(Decision.objects.open(symbol)[:_DECIDED_AT_ONCE])
        if not waiting:
            return None
        if waiting[0].outcome == Decision.Outcome.OPENING:
            return _signal_id_of(waiting[0])
        row = Instrument.objects.get(symbol=symbol)
        strategy = Strategy.objects.live()
        parameters = strategy.value()
        windows = windows_of(symbol, waiting)
        decided: list[Decision] = []
        signal_id: str | None = None
        for decision in waiting:
            if not _can_be_decided(decision):
                break
            refusal = refused_early(decision, windows[decision.close_time_ms], parameters)
            if refusal is None:
                signal_id = _decide(decision, row, strategy, parameters)
            else:
                _note(decision, refusal.reason, refusal.text)
            decision.strategy, decision.decided_at = strategy, timezone.now()
            decided.append(decision)
            if signal_id is not None:
                break
        Decision.objects.bulk_update(decided, _DECIDED)
    if signal_id is None and len(decided) == _DECIDED_AT_ONCE:
        return decide_closes(symbol)
    if signal_id is not None:
        metrics.signal_generation.observe(_seconds_since_analysis(decided[-1]))
    return signal_id


def _seconds_since_analysis(decision: Decision) -> float:
    analysed_at = Analysis.objects.values_list("completed_at", flat=True).get(
        symbol=decision.symbol,
        timeframe=str(Timeframe.M15),
        close_time_ms=decision.close_time_ms,
    )
    assert analysed_at is not None, "a decided close is analysed"
    return max(0.0, (timezone.now() - analysed_at).total_seconds())


def refused_early(
    decision: Decision, windows: Iterable[tuple[Timeframe, int]], parameters: Parameters
) -> Refusal | None:
    """Return why a close makes no signal whatever its entry tick, as `core.decide` would say."""
    refusal = core.warming_up(windows, parameters)
    if refusal is not None or decision.score is None:
        return refusal
    return core.below_threshold(Direction(decision.direction), float(decision.score), parameters)


def signal_value(row: Signal) -> TradingSignal:
    """Return the core's value of a signal's row."""
    return TradingSignal(
        signal_id=row.signal_id,
        instrument=row.instrument,
        direction=Direction(row.direction),
        entry_price=float(row.entry_price),
        stop_loss=float(row.stop_loss),
        take_profit_1=float(row.take_profit_1),
        take_profit_2=float(row.take_profit_2),
        risk_reward_ratio=float(row.risk_reward_ratio),
        position_size=row.position_size,
        risk_percentage=float(row.risk_percentage),
        setup_type=row.setup_type,
        market_structure=row.market_structure,
        confluence_factors=tuple(row.confluence_factors),
        confidence_score=float(row.confidence_score),
        h4_context=row.h4_context,
        h1_context=row.h1_context,
        m15_context=row.m15_context,
        timestamp_ms=calendar.milliseconds(row.timestamp),
        session=row.session,
        zone_top=float(row.zone_top),
        zone_bottom=float(row.zone_bottom),
        entry_ordinal=row.entry_ordinal,
        entry_time_ms=row.entry_time_ms,
    )


def _can_be_decided(decision: Decision) -> bool:
    """Return whether the score and the entry tick are known, or can never be."""
    if _is_warming_up(decision):
        return True
    return decision.score is not None and decision.entry_ordinal is not None


def _is_warming_up(decision: Decision) -> bool:
    return decision.h1_close_ms is None or decision.h4_close_ms is None


def _note(decision: Decision, reason: str, text: str) -> None:
    is_below = reason == RefusalReason.BELOW_THRESHOLD
    decision.outcome = Decision.Outcome.BELOW if is_below else Decision.Outcome.REFUSED
    decision.reason, decision.text = reason, text


def _decide(
    decision: Decision, row: Instrument, strategy: Strategy, parameters: Parameters
) -> str | None:
    """Decide one close at its entry tick; return the new signal's id, if there is one."""
    assert decision.entry_ordinal is not None
    assert decision.entry_time_ms is not None
    assert decision.entry_bid is not None
    assert decision.entry_ask is not None
    entry = Tick(
        decision.entry_ordinal, decision.entry_time_ms, decision.entry_bid, decision.entry_ask
    )
    market = row.value()
    day = calendar.utc(decision.close_time_ms).date()
    number = Signal.objects.filter(instrument=row.symbol, timestamp__date=day).count() + 1
    made = core.decide(
        market,
        views_of(row.symbol, [decision])[decision.close_time_ms],
        entry,
        trade_book().exposure_before(market, parameters, entry),
        parameters,
        number,
    )
    if made.signal is None:
        assert made.refusal is not None
        _note(decision, made.refusal.reason, made.refusal.text)
        return None
    if not row.is_active:
        _note(decision, INSTRUMENT_OFF, f"{row.symbol} is off: no new signals")
        return None
    signal = signal_row(made.signal, strategy)
    link_signal(signal, made.signal)
    note_probability(signal, made.score)
    signal.save(force_insert=True)
    decision.outcome = Decision.Outcome.OPENING
    log.info(
        "signal_generated",
        signal_id=made.signal.signal_id,
        instrument=row.symbol,
        direction=made.signal.direction.value,
        confidence=made.signal.confidence_score,
        setup_type=made.signal.setup_type,
    )
    return made.signal.signal_id


def signal_row(signal: TradingSignal, strategy: Strategy) -> Signal:
    price = instrument.as_decimal
    return Signal(
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        direction=signal.direction,
        entry_price=price(signal.entry_price),
        stop_loss=price(signal.stop_loss),
        take_profit_1=price(signal.take_profit_1),
        take_profit_2=price(signal.take_profit_2),
        risk_reward_ratio=_hundredths(signal.risk_reward_ratio),
        position_size=signal.position_size,
        risk_percentage=_hundredths(signal.risk_percentage),
        setup_type=signal.setup_type,
        market_structure=signal.market_structure,
        confluence_factors=list(signal.confluence_factors),
        confidence_score=_hundredths(signal.confidence_score),
        h4_context=signal.h4_context,
        h1_context=signal.h1_context,
        m15_context=signal.m15_context,
        session=signal.session,
        timestamp=calendar.utc(signal.timestamp_ms),
        zone_top=price(signal.zone_top),
        zone_bottom=price(signal.zone_bottom),
        entry_ordinal=signal.entry_ordinal,
        entry_time_ms=signal.entry_time_ms,
        strategy=strategy,
    )


def _hundredths(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.01"))


def _signal_id_of(decision: Decision) -> str:
    return Signal.objects.values_list("signal_id", flat=True).get(
        instrument=decision.symbol, timestamp=calendar.utc(decision.close_time_ms)
    )
