"""The message about something that happened to a trade: a target, the stop, its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from signals_app.market.calendar import utc
from signals_app.market.instrument import Instrument
from trades_app.lifecycle.trade import EventKind, Trade, TradeEvent
from trades_app.notifications.content import wording

_HEADLINES = {
    EventKind.TP1_HIT: "🎯 TP1 reached",
    EventKind.TP2_HIT: "🏁 TP2 reached",
    EventKind.SL_HIT: "🛑 Stop reached",
    EventKind.EXPIRED: "⌛ Closed: its time was over",
    EventKind.CLOSED_MANUALLY: "✋ Closed by hand",
}
#: What followers get a message of; the other events say nothing that these do not.
ANNOUNCED = frozenset(_HEADLINES)


@dataclass(frozen=True, slots=True)
class TradeUpdate:
    """One of the announced events. `trade` may have gone on since; the text is of the event.

    `found_late_seconds` is how long after its tick's time it was found, `None`: in time.
    """

    trade: Trade
    event: TradeEvent
    instrument: Instrument
    is_simulated: bool = False
    found_late_seconds: int | None = None


def text(data: Mapping[str, Any]) -> str:
    """The text of an outbox row's data."""
    return update_text(msgspec.convert(data, TradeUpdate))


def update_text(update: TradeUpdate) -> str:
    """What followers read of an event; raises `KeyError` for one that is not announced."""
    trade, event, instrument = update.trade, update.event, update.instrument
    price = "" if event.price is None else f" at {wording.price(instrument, event.price)}"
    lines = [
        *([wording.SIMULATED_FEED] if update.is_simulated else []),
        f"{_HEADLINES[event.kind]}{price}",
        f"{trade.instrument} {trade.direction} · {trade.signal_id}",
        _closed_line(event),
    ]
    if event.kind is EventKind.TP1_HIT:
        lines.append(f"The stop moves to break-even, {wording.price(instrument, trade.stop_loss)}")
    else:
        multiple = "" if trade.r_multiple is None else f" = {wording.signed(trade.r_multiple)} R"
        result = wording.result(trade.profit_loss, trade.profit_loss_pips)
        lines.append(f"Result: {result}{multiple}")
    lines.append(f"⏰ {wording.utc_time(utc(event.time_ms))}")
    if update.found_late_seconds:
        lines.append(wording.found_late(update.found_late_seconds))
    return "\n".join(lines)


def _closed_line(event: TradeEvent) -> str:
    if not event.lots:
        return "Nothing closed: the lot is too small to split"
    return f"Closed {wording.short(event.lots)} lots: {wording.result(event.profit, event.pips)}"
