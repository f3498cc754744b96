"""Closes that could be decided, and are not: what waits behind a fault that nobody sees."""

from datetime import datetime, timedelta

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import ConnectorEvent, Decision, Instrument
from signals_app.services.connectors import record_connector_event
from signals_app.services.rates import awaited_pair

#: Who connector events of the pipeline are of.
PIPELINE = "pipeline"

_LONGEST = timedelta(minutes=5)
_SAID_AGAIN_AFTER = timedelta(hours=1)


def stuck_symbols(now: datetime) -> list[str]:
    """The symbols whose oldest open close has its entry tick, and nothing was decided lately."""
    waiting = (
        Decision.objects.filter(
            outcome__in=(Decision.Outcome.PENDING, Decision.Outcome.OPENING),
            entry_ordinal__isnull=False,
            created_at__lt=now - _LONGEST,
        )
        .order_by("instrument", "close_time_ms")
        .distinct("instrument")
    )
    return [decision.instrument for decision in waiting if not _was_decided(decision, now)]


def report_stuck(now: datetime) -> None:
    """Keep an event for each symbol that is stuck, at most once an hour."""
    code = ConnectorEventCode.DECISIONS_WAIT
    said = ConnectorEvent.objects.filter(code=code, happened_at__gt=now - _SAID_AGAIN_AFTER)
    for symbol in stuck_symbols(now):
        if not said.filter(instrument=symbol).exists():
            number = Decision.objects.open(symbol).count()
            text = f"{number} closes wait to be decided, none was for {_LONGEST.seconds // 60} min"
            pair = pairs_awaited().get(symbol)
            if pair is not None:
                text += f": the day's rate of {pair} is needed, whose ticks do not come"
            record_connector_event(PIPELINE, code, symbol, text)


def pairs_awaited() -> dict[str, str]:
    """By symbol the pair for whose ticks its oldest open close waits, to know the day's rate."""
    oldest = (
        Decision.objects.filter(outcome=Decision.Outcome.PENDING, entry_ordinal__isnull=False)
        .order_by("instrument", "close_time_ms")
        .distinct("instrument")
    )
    waiting = {decision.instrument: decision.close_time_ms for decision in oldest}
    instruments = Instrument.objects.filter(symbol__in=waiting)
    pairs = ((row.symbol, awaited_pair(row.value(), waiting[row.symbol])) for row in instruments)
    return {symbol: pair for symbol, pair in pairs if pair is not None}


def _was_decided(waiting: Decision, now: datetime) -> bool:
    """Whether the close before was decided lately: closes are decided in their order."""
    before = Decision.objects.filter(
        instrument=waiting.instrument, close_time_ms__lt=waiting.close_time_ms
    ).order_by("-close_time_ms")
    decided_at = before.values_list("decided_at", flat=True).first()
    return decided_at is not None and decided_at > now - _LONGEST
