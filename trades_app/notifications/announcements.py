"""What followers learn of a signal and its trade, put into the outbox as it happens."""

from collections.abc import Iterable

from signals_app.market.calendar import utc
from signals_app.market.instrument import Instrument
from signals_app.models import Signal
from signals_app.services.connectors import is_simulated
from trades_app.lifecycle.trade import Trade, TradeEvent
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.content.signals import SignalAnnouncement, whole_context
from trades_app.notifications.content.trade_events import ANNOUNCED, TradeUpdate
from trades_app.notifications.outbox import Draft, Subject


def announce_signal(
    signal: Signal, instrument: Instrument, trade: Trade, found_late_seconds: int | None
) -> None:
    """Put the signal's announcement in; ``trade`` is its trade as it was opened."""
    announcement = SignalAnnouncement(
        signal=signal.value(),
        trade=trade,
        instrument=instrument,
        is_simulated=is_simulated(signal.instrument),
        found_late_seconds=found_late_seconds,
        measured=signal.measured,
        strategy=str(signal.strategy),
    )
    subject, at = Subject.of_signal(signal), utc(announcement.signal.timestamp_ms)
    outbox.put(
        Message.Kind.SIGNAL, subject, f"signal:{signal.signal_id}", announcement, happened_at=at
    )
    context = whole_context(announcement)
    if context is not None:
        key = f"trade:{signal.signal_id}:CONTEXT"
        outbox.put(Message.Kind.TRADE, subject, key, context, happened_at=at)


def announce_events(
    signal: Signal,
    trade: Trade,
    events: Iterable[TradeEvent],
    instrument: Instrument,
    found_late: Iterable[int | None],
) -> None:
    """Put in what followers need to know of these events.

    ``trade`` stands after all of them; ``found_late`` has the seconds of each, `None`: in time.
    """
    subject, simulated = Subject.of_signal(signal), is_simulated(signal.instrument)
    outbox.put_all(
        [
            Draft(
                Message.Kind.TRADE,
                subject,
                f"trade:{signal.signal_id}:{event.kind}",
                TradeUpdate(trade, event, instrument, simulated, late),
                happened_at=utc(event.time_ms),
            )
            for event, late in zip(events, found_late, strict=True)
            if event.kind in ANNOUNCED
        ]
    )
