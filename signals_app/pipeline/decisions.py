"""The closes of a symbol decided one after the other, in candle order."""

from collections.abc import Iterable

import structlog
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from signals_app import metrics
from signals_app.confluence import decision as core
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import LiveReason, Refusal, RefusalReason
from signals_app.connector_codes import ConnectorEventCode
from signals_app.market import calendar
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.models import Analysis, Decision, Instrument, Signal, Strategy
from signals_app.pipeline import waiting
from signals_app.pipeline.analysis import views_of, windows_of
from signals_app.pipeline.candles import candle_id
from signals_app.pipeline.hash_chain import link_signal
from signals_app.pipeline.ports import trade_book
from signals_app.services.connectors import record_connector_event
from signals_app.services.locks import lock_decisions
from signals_app.services.probabilities import note_probability
from signals_app.services.rates import LiveRates

log = structlog.get_logger(__name__)

_DECIDED_AT_ONCE = 500
#: What deciding a close writes.
_DECIDED = ("outcome", "reason", "text", "strategy", "decided_at", "rate")
#: What the same decision would raise again. A database that is away is not among it.
_NOT_STORABLE = (IntegrityError, DataError, ValueError, ArithmeticError)


def decide_closes(symbol: str) -> str | None:
    """Decide a symbol's closes in candle order, up to the first that makes a signal.

    Returns the id of the signal whose trade is to be opened next: one just made, or one that an
    earlier call left behind. `None` where nothing more can be decided now.
    """
    with transaction.atomic():
        lock_decisions(symbol)
        closes = list(Decision.objects.open(symbol)[:_DECIDED_AT_ONCE])
        if not closes:
            return None
        if closes[0].outcome == Decision.Outcome.OPENING:
            return _signal_id_of(closes[0])
        row = Instrument.objects.get(symbol=symbol)
        strategy = Strategy.objects.live()
        parameters = strategy.value()
        windows = windows_of(symbol, closes)
        rates = LiveRates(row.value())
        decided: list[Decision] = []
        signal_id: str | None = None
        for decision in closes:
            if not _can_be_decided(decision) or rates.is_awaited(decision.close_time_ms):
                break
            refusal = refused_early(decision, windows[decision.close_time_ms], parameters)
            if refusal is None:
                decision.rate = rates.at(decision.close_time_ms)
                with bound_contextvars(candle=_candle_of(decision)):
                    signal_id = _decide_or_note(decision, row, strategy, parameters)
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


def _candle_of(decision: Decision) -> str:
    return candle_id(decision.instrument, [(Timeframe.M15, decision.close_time_ms)])


def any_open(symbol: str) -> bool:
    """Whether a close of the symbol is not decided yet, or its signal's trade not opened."""
    return Decision.objects.open(symbol).exists()


def _seconds_since_analysis(decision: Decision) -> float:
    analysed_at = Analysis.objects.values_list("completed_at", flat=True).get(
        instrument=decision.instrument,
        timeframe=str(Timeframe.M15),
        close_time_ms=decision.close_time_ms,
    )
    assert analysed_at is not None, "a decided close is analysed"
    return max(0.0, (timezone.now() - analysed_at).total_seconds())


def refused_early(
    decision: Decision, windows: Iterable[tuple[Timeframe, int]], parameters: Parameters
) -> Refusal | None:
    """Why a close makes no signal whatever its entry tick, as `core.decide` would say."""
    refusal = core.warming_up(windows, parameters)
    if refusal is not None or decision.score is None:
        return refusal
    return core.below_threshold(Direction(decision.direction), float(decision.score), parameters)


def _can_be_decided(decision: Decision) -> bool:
    """Whether the score and the entry tick are known, or can never be."""
    if _is_warming_up(decision):
        return True
    return decision.score is not None and decision.entry_ordinal is not None


def _is_warming_up(decision: Decision) -> bool:
    return decision.h1_close_ms is None or decision.h4_close_ms is None


def _note(decision: Decision, reason: RefusalReason | LiveReason, text: str) -> None:
    is_below = reason is RefusalReason.BELOW_THRESHOLD
    decision.outcome = Decision.Outcome.BELOW if is_below else Decision.Outcome.REFUSED
    decision.reason, decision.text = reason, text


def _decide_or_note(
    decision: Decision, row: Instrument, strategy: Strategy, parameters: Parameters
) -> str | None:
    """Decide one close; one that cannot be computed or stored is refused for that reason.

    It would fail like this every time, and every close behind it would wait.
    """
    try:
        with transaction.atomic():
            return _decide(decision, row, strategy, parameters)
    except _NOT_STORABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        text = f"the close of {calendar.iso(decision.close_time_ms)} cannot be stored: {reason}"
        log.exception("decision_not_stored", instrument=row.symbol, reason=reason)
        _note(decision, LiveReason.DECISION_NOT_STORED, text)
        record_connector_event(
            waiting.PIPELINE, ConnectorEventCode.DECISION_NOT_STORED, row.symbol, text
        )
        return None


def _decide(
    decision: Decision, row: Instrument, strategy: Strategy, parameters: Parameters
) -> str | None:
    """Decide one close at its entry tick; return the new signal's id, if there is one."""
    entry = decision.entry_tick()
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
        rate=decision.rate,
    )
    if made.signal is None:
        assert made.refusal is not None
        _note(decision, made.refusal.reason, made.refusal.text)
        return None
    if not row.is_active:
        _note(decision, LiveReason.INSTRUMENT_OFF, f"{row.symbol} is off: no new signals")
        return None
    signal = Signal.of(made.signal, strategy)
    note_probability(signal, made.score)
    signal.save(force_insert=True)
    link_signal(signal)
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


def _signal_id_of(decision: Decision) -> str:
    return Signal.objects.values_list("signal_id", flat=True).get(
        instrument=decision.instrument, timestamp=calendar.utc(decision.close_time_ms)
    )
