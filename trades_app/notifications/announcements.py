"""What followers are told of a signal and its trade, put into the outbox as it happens."""

from collections.abc import Iterable

from signals_app.market.instrument import Instrument
from signals_app.models import Signal
from signals_app.pipeline.decisions import signal_value
from signals_app.services.connectors import is_simulated
from trades_app.lifecycle.machine import Trade, TradeEvent
from trades_app.notifications import outbox
from trades_app.notifications.content import messages


def announce_signal(
    signal: Signal, instrument: Instrument, trade: Trade, found_late_seconds: int | None
) -> None:
    """Put the signal's announcement in; ``trade`` is its trade as it was opened."""
    text = messages.signal_text(
        signal_value(signal),
        instrument,
        trade,
        is_simulated=is_simulated(signal.instrument),
        found_late_seconds=found_late_seconds,
        measured=signal.measured,
        strategy=str(signal.strategy),
    )
    outbox.put("SIGNAL", signal, f"signal:{signal.signal_id}", text)


def announce_events(
    signal: Signal,
    trade: Trade,
    events: Iterable[TradeEvent],
    instrument: Instrument,
    found_late: Iterable[int | None],
) -> None:
    """Put in what followers need to know of these events.

    ``trade`` stands after all of them; ``found_late`` has the seconds of each, `None`: on time.
    """
    simulated = is_simulated(signal.instrument)
    for event, late in zip(events, found_late, strict=True):
        text = messages.event_text(
            trade, event, instrument, is_simulated=simulated, found_late_seconds=late
        )
        if text is not None:
            outbox.put("TRADE", signal, f"trade:{signal.signal_id}:{event.kind}", text)
