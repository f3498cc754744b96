"""Proof of signals and trades: every link computed again, every trade replayed from its events."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from reports_app.track_record.violation import Violation, read_value
from signals_app.market import calendar
from signals_app.models import Decision, Instrument, Signal
from trades_app.lifecycle import machine
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.hash_chain import Entry, event_entries, signal_entries
from trades_app.lifecycle.replay import replay
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.models import Trade, TradeEvent


def verified_entries(instrument: str) -> list[Entry]:
    """The entries of an instrument's signals and trade events, in no order.

    Raises `Violation` where a link, or a trade's row, does not follow from what is before it.
    """
    signals = _signal_entries(instrument)
    return [*signals.values(), *_event_entries(instrument, signals)]


def _signal_entries(instrument: str) -> dict[str, Entry]:
    rows = list(Signal.objects.filter(instrument=instrument).order_by("timestamp", "signal_id"))
    values = [read_value(f"Signal {row.signal_id}", Signal.value, row) for row in rows]
    entries = {entry.signal_id: entry for entry in signal_entries(values)}
    for row in rows:
        if not row.record_hash:
            raise Violation(
                f"Signal {row.signal_id} has no link: it was put in, or its link removed."
            )
        if row.record_hash != entries[row.signal_id].link:
            raise Violation(
                f"Signal {row.signal_id} does not follow from the one before it: it was changed, "
                "or one before it was removed, put in or back-dated."
            )
    return entries


def _event_entries(instrument: str, signals: Mapping[str, Entry]) -> list[Entry]:
    """The entries of all events; trades belong to their signal's instrument."""
    _require_trade_of_each_signal(instrument)
    market = Instrument.objects.filter(symbol=instrument).first()
    found: list[Entry] = []
    decided = Decision.objects.filter(instrument=instrument, rate__isnull=False)
    rates = dict(decided.values_list("close_time_ms", "rate"))
    trades = Trade.objects.filter(signal__instrument=instrument).order_by("entry_ordinal", "pk")
    for row in trades.select_related("signal__strategy").prefetch_related("events").iterator(500):
        if market is None:
            raise Violation(f"The instrument {instrument} was removed.")
        events = sorted(row.events.all(), key=lambda event: event.number)
        values = [
            read_value(f"Event {event.number} of {row.signal_id}", TradeEvent.value, event)
            for event in events
        ]
        links = [event.record_hash for event in events]
        entries = list(event_entries(signals[row.signal_id], values, links))
        for event, entry in zip(events, entries, strict=True):
            _require_link(event, entry)
        _require_agreement(row, values, market)
        if row.rate != rates.get(calendar.milliseconds(row.signal.timestamp)):
            raise Violation(f"The trade of {row.signal_id} has another rate than its decision.")
        found += entries
    return found


def _require_trade_of_each_signal(instrument: str) -> None:
    """Raise where a signal has no trade, and none is being opened."""
    without = Signal.objects.filter(instrument=instrument, trade=None)
    for signal in without.order_by("timestamp"):
        is_opening = Decision.objects.filter(
            instrument=instrument,
            close_time_ms=calendar.milliseconds(signal.timestamp),
            outcome=Decision.Outcome.OPENING,
        ).exists()
        if not is_opening:
            raise Violation(f"The trade of {signal.signal_id} was removed.")


def _require_link(event: TradeEvent, entry: Entry) -> None:
    named = f"Event {event.number} ({event.kind}) of {entry.signal_id}"
    if not event.record_hash:
        raise Violation(f"{named} has no link: it was put in, or its link removed.")
    if event.number != entry.number or event.record_hash != entry.link:
        raise Violation(
            f"{named} does not follow from what is before it: it was changed, or one before was "
            "removed or put in."
        )


def _require_agreement(row: Trade, events: Sequence[core.TradeEvent], market: Instrument) -> None:
    """Raise where a trade's row says something else than its signal and events."""
    if not events:
        raise Violation(f"The events of {row.signal_id} were removed.")
    stands = read_value(f"The trade of {row.signal_id}", Trade.value, row)
    planned = _planned(row, stands, market)
    try:
        follows = replay(planned, market.value(), events)
    except InvalidTransition as error:
        raise Violation(f"The events of {row.signal_id} are no trade's life: {error}.") from None
    by_hand = follows.exit_reason is core.EventKind.CLOSED_MANUALLY
    if by_hand and not _was_ordered(stands):
        raise Violation(f"{row.signal_id} was closed by hand, but nobody had ordered it by then.")
    for field in fields(follows):
        if field.name == "close_order":
            continue
        says, implied = getattr(stands, field.name), getattr(follows, field.name)
        if says != implied:
            raise Violation(
                f"The trade of {row.signal_id} says {field.name} {says}, its signal and events say "
                f"{implied}: its row or a setting of its strategy or instrument was changed, or "
                "its last events were removed."
            )
    status = Signal.Status.ACTIVE if follows.is_open else Signal.Status.CLOSED
    if row.signal.status != status:
        raise Violation(f"Signal {row.signal_id} says {row.signal.status}, its trade {status}.")


def _planned(row: Trade, stands: core.Trade, market: Instrument) -> core.Trade:
    """The trade as its signal, strategy and instrument plan it, at its own rate.

    Brokers change their swaps: what a night costs is what the trade noted when it was opened.
    """
    planned = machine.plan_trade(
        row.signal.value(), market.value(), row.signal.strategy.value(), stands.rate
    )
    costs = replace(
        planned.costs,
        swap_per_lot_night_buy=stands.costs.swap_per_lot_night_buy,
        swap_per_lot_night_sell=stands.costs.swap_per_lot_night_sell,
    )
    return replace(planned, costs=costs)


def _was_ordered(trade: core.Trade) -> bool:
    if trade.close_order is None or trade.exit_time_ms is None or trade.exit_ordinal is None:
        return False
    return trade.close_order.holds_at(core.Moment(trade.exit_time_ms, trade.exit_ordinal))
