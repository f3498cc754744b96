"""The record's proof: everything is computed again, and compared with what was told of it."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from django.db import connection, transaction

from reports_app.models import RecordDay
from reports_app.performance.statistics import Period
from signals_app.confluence.hash_chain import BEGINNING
from signals_app.confluence.signal import TradingSignal
from signals_app.market import calendar
from signals_app.market.encoding import from_json
from signals_app.models import Decision, Instrument, Signal
from trades_app.lifecycle import exported, machine
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.hash_chain import (
    Day,
    Entry,
    chain_days,
    event_entries,
    holds_published,
    signal_entries,
)
from trades_app.lifecycle.replay import replay
from trades_app.lifecycle.transitions import InvalidTransition
from trades_app.models import Message, Trade, TradeEvent

#: What reading a value raises where a row or a file holds something else.
_UNREADABLE = (KeyError, ValueError, TypeError, ArithmeticError)

_Row = TypeVar("_Row")
_Value = TypeVar("_Value")


class Broken(Exception):  # noqa: N818 - the record is
    """The first place where the record does not hold, in one sentence."""


@dataclass(frozen=True, slots=True)
class Published:
    """A digest that somebody noted: a report's, by its last day, or a head while the day went on.

    It covers the instrument, which need not be named.
    """

    date: dt.date
    digest: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One instrument's record that holds: all its days, the last one as far as it has come.

    `sealed` of them are in the database with their digests; an export does not say (`None`).
    """

    instrument: str
    days: tuple[Day, ...]
    sealed: int | None

    @property
    def signals(self) -> int:
        """Return how many signals there are."""
        return sum(day.signals for day in self.days)

    @property
    def events(self) -> int:
        """Return how much happened to trades."""
        return sum(day.events for day in self.days)

    @property
    def head(self) -> Published | None:
        """Return the digest that stands for all, `None` where there is nothing."""
        return Published(self.days[-1].date, self.days[-1].digest) if self.days else None


def verify(expected: Sequence[Published] = ()) -> list[Proof]:
    """Compute the whole record again; raise `Broken` where it does not hold.

    ``expected`` must belong to it. In one snapshot of the database, so that it can run while
    signals are made.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        proofs = [_verify(instrument) for instrument in sorted(_instruments())]
    _require_expected(proofs, expected)
    return proofs


def verify_export(content: Any, expected: Sequence[Published] = ()) -> list[Proof]:
    """Compute the record of what `manage.py export --json` printed, as `verify` does.

    An export holds no links: that it is the record which was told to followers is shown by
    ``expected`` alone.
    """
    try:
        signals = [from_json(TradingSignal, told) for told in content["signals"]]
        trades = {told["signal_id"]: told for told in content["trades"]}
        surplus = len(content["trades"]) - len(trades)
        proofs = [
            _verify_exported(instrument, signals, trades)
            for instrument in sorted({signal.instrument for signal in signals})
        ]
    except _UNREADABLE as error:
        raise Broken(f"This is no export of signals and trades: {error!r}.") from None
    if surplus or trades.keys() - {signal.signal_id for signal in signals}:
        raise Broken("A trade has no signal of its own: it was put in.")
    _require_expected(proofs, expected)
    return proofs


def _require_expected(proofs: Sequence[Proof], expected: Iterable[Published]) -> None:
    for noted in expected:
        if not any(
            holds_published(proof.instrument, proof.days, noted.date, noted.digest)
            for proof in proofs
        ):
            raise Broken(
                f"{noted.digest} was noted on {noted.date} and is no digest of this record: "
                "up to then something was removed, changed or put in."
            )


def _instruments() -> set[str]:
    signals = Signal.objects.order_by().values_list("instrument", flat=True).distinct()
    days = RecordDay.objects.order_by().values_list("instrument", flat=True).distinct()
    reports = Message.objects.filter(kind=Message.Kind.REPORT).order_by()
    return {*signals, *days, *reports.values_list("instrument", flat=True).distinct()}


def _verify(instrument: str) -> Proof:
    signals = _verify_signals(instrument)
    events = _verify_trades(instrument, signals)
    days = chain_days(instrument, (*signals.values(), *events))
    sealed = _verify_days(instrument, days)
    _verify_reports(instrument, days)
    return Proof(instrument, days, sealed)


def _verify_signals(instrument: str) -> dict[str, Entry]:
    rows = list(Signal.objects.filter(instrument=instrument).order_by("timestamp", "signal_id"))
    values = [_read(f"Signal {row.signal_id}", Signal.value, row) for row in rows]
    entries = {entry.signal_id: entry for entry in signal_entries(values)}
    for row in rows:
        if not row.record_hash:
            raise Broken(f"Signal {row.signal_id} has no link: it was put in, or its link removed.")
        if row.record_hash != entries[row.signal_id].link:
            raise Broken(
                f"Signal {row.signal_id} does not follow from the one before it: it was changed, "
                "or one before it was removed, put in or back-dated."
            )
    return entries


def _verify_trades(instrument: str, signals: Mapping[str, Entry]) -> list[Entry]:
    """Return the entries of all events; trades belong to their signal's instrument."""
    _require_trades(instrument)
    market = Instrument.objects.filter(symbol=instrument).first()
    found: list[Entry] = []
    trades = Trade.objects.filter(signal__instrument=instrument).order_by("entry_ordinal", "pk")
    for row in trades.select_related("signal__strategy").prefetch_related("events").iterator(500):
        if market is None:
            raise Broken(f"The instrument {instrument} was removed.")
        events = sorted(row.events.all(), key=lambda event: event.number)
        values = [
            _read(f"Event {event.number} of {row.signal_id}", TradeEvent.value, event)
            for event in events
        ]
        entries = list(event_entries(signals[row.signal_id], values))
        for event, entry in zip(events, entries, strict=True):
            _require_link(event, entry)
        _require_agreement(row, values, market)
        found += entries
    return found


def _require_trades(instrument: str) -> None:
    """Raise where a signal has no trade, and none is being opened."""
    without = Signal.objects.filter(instrument=instrument, trade=None)
    for signal in without.order_by("timestamp"):
        is_opening = Decision.objects.filter(
            symbol=instrument,
            close_time_ms=calendar.milliseconds(signal.timestamp),
            outcome=Decision.Outcome.OPENING,
        ).exists()
        if not is_opening:
            raise Broken(f"The trade of {signal.signal_id} was removed.")


def _require_link(event: TradeEvent, entry: Entry) -> None:
    named = f"Event {event.number} ({event.kind}) of {entry.signal_id}"
    if not event.record_hash:
        raise Broken(f"{named} has no link: it was put in, or its link removed.")
    if event.number != entry.number or event.record_hash != entry.link:
        raise Broken(
            f"{named} does not follow from what is before it: it was changed, or one before was "
            "removed or put in."
        )


def _require_agreement(row: Trade, events: Sequence[core.TradeEvent], market: Instrument) -> None:
    """Raise where a trade's row says something else than its signal and events."""
    if not events:
        raise Broken(f"The events of {row.signal_id} were removed.")
    stands = _read(f"The trade of {row.signal_id}", Trade.value, row)
    planned = machine.plan_trade(row.signal.value(), market.value(), row.signal.strategy.value())
    try:
        follows = replay(planned, market.value(), events)
    except InvalidTransition as error:
        raise Broken(f"The events of {row.signal_id} are no trade's life: {error}.") from None
    by_hand = follows.exit_reason is core.EventKind.CLOSED_MANUALLY
    if by_hand and not _was_ordered(stands):
        raise Broken(f"{row.signal_id} was closed by hand, but nobody had ordered it by then.")
    for field in fields(follows):
        if field.name == "close_order":
            continue
        says, told = getattr(stands, field.name), getattr(follows, field.name)
        if says != told:
            raise Broken(
                f"The trade of {row.signal_id} says {field.name} {says}, its signal and events say "
                f"{told}: its row or a setting of its strategy or instrument was changed, or its "
                "last events were removed."
            )
    told_status = Signal.Status.ACTIVE if follows.is_open else Signal.Status.CLOSED
    if row.signal.status != told_status:
        raise Broken(f"Signal {row.signal_id} says {row.signal.status}, its trade {told_status}.")


def _was_ordered(trade: core.Trade) -> bool:
    if trade.close_order is None or trade.exit_time_ms is None or trade.exit_ordinal is None:
        return False
    return trade.close_order.holds_at(core.Moment(trade.exit_time_ms, trade.exit_ordinal))


def _verify_days(instrument: str, days: Sequence[Day]) -> int:
    """Compare the sealed days with what they must be; return how many they are."""
    rows = list(RecordDay.objects.filter(instrument=instrument).order_by("date"))
    entered = {day.date: day for day in days}
    sealed = {row.date for row in rows}
    for day in days:
        if rows and day.date < rows[-1].date and day.date not in sealed:
            raise Broken(
                f"{instrument}: {day.date} has entries but no digest, and later days have one: "
                "they were back-dated, or the digest was removed."
            )
    previous = BEGINNING
    for row in rows:
        if row.previous != previous:
            raise Broken(
                f"{instrument}: the digest of {row.date} does not follow from the one before it: "
                "a day was removed or put in."
            )
        found = entered.get(row.date)
        if found is None or row.digest != found.digest:
            number = len(found.entries) if found else 0
            raise Broken(
                f"{instrument}: the digest of {row.date} is not that of its {number} entries "
                f"(it was {row.signals + row.events}): one was removed, changed or back-dated."
            )
        if (row.signals, row.events) != (found.signals, found.events):
            raise Broken(
                f"{instrument}: {row.date} says {row.signals} signals and {row.events} events, "
                f"its digest covers {found.signals} and {found.events}."
            )
        previous = row.digest
    return len(rows)


def _verify_reports(instrument: str, days: Sequence[Day]) -> None:
    """Compare the record with the digests that were published in reports."""
    reports = Message.objects.filter(kind=Message.Kind.REPORT, instrument=instrument)
    for key, digest in reports.order_by("pk").values_list("key", "digest").iterator():
        _, _, period, first_day = _read(f"The report {key}", lambda key: key.split(":"), key)
        last_day = Period(period).last_day(dt.date.fromisoformat(first_day))
        if not digest:
            raise Broken(f"The report {key} names no digest: its text was changed.")
        until = [day for day in days if day.date <= last_day]
        if not until or until[-1].digest != digest:
            stands = f"is {until[-1].digest}" if until else "has nothing until then"
            raise Broken(
                f"{instrument}: followers were told of the digest {digest} at the end of "
                f"{last_day}, the record {stands}: its last days were removed or made anew."
            )


def _verify_exported(
    instrument: str, signals: Sequence[TradingSignal], trades: Mapping[str, Mapping[str, Any]]
) -> Proof:
    mine = sorted(
        (signal for signal in signals if signal.instrument == instrument),
        key=lambda signal: (signal.timestamp_ms, signal.signal_id),
    )
    entries = list(signal_entries(mine))
    found = list(entries)
    for signal, entry in zip(mine, entries, strict=True):
        told = trades.get(signal.signal_id)
        if told is None and signal is mine[-1]:
            continue
        if told is None:
            raise Broken(f"The trade of {signal.signal_id} was removed.")
        events = [from_json(core.TradeEvent, event) for event in told["events"]]
        try:
            disagreement = exported.disagreement(told, signal, events)
        except InvalidTransition as error:
            raise Broken(
                f"The events of {signal.signal_id} are no trade's life: {error}."
            ) from None
        if disagreement is not None:
            raise Broken(f"The trade of {signal.signal_id} says {disagreement}.")
        found += event_entries(entry, events)
    return Proof(instrument, chain_days(instrument, found), sealed=None)


def _read(named: str, read: Callable[[_Row], _Value], row: _Row) -> _Value:
    try:
        return read(row)
    except _UNREADABLE as error:
        raise Broken(f"{named} holds what nobody writes there: {error}.") from None
