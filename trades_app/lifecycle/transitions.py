"""What may happen to a trade in which status: the whole table, and one step along it."""

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from trades_app.lifecycle.trade import EventKind, Moment, Trade, TradeEvent, TradeStatus

#: The whole machine: what may happen in which status, and where it leads.
TRANSITIONS = MappingProxyType(
    {
        (TradeStatus.SIGNAL_GENERATED, EventKind.OPENED): TradeStatus.TRADE_OPENED,
        (TradeStatus.SIGNAL_GENERATED, EventKind.CANCELLED): TradeStatus.CANCELLED,
        (TradeStatus.TRADE_OPENED, EventKind.MONITORING_STARTED): TradeStatus.MONITORING,
        (TradeStatus.MONITORING, EventKind.TP1_HIT): TradeStatus.TP1_HIT,
        (TradeStatus.MONITORING, EventKind.SL_HIT): TradeStatus.SL_HIT,
        (TradeStatus.MONITORING, EventKind.EXPIRED): TradeStatus.EXPIRED,
        (TradeStatus.MONITORING, EventKind.CLOSED_MANUALLY): TradeStatus.CLOSED_MANUALLY,
        (TradeStatus.TP1_HIT, EventKind.STOP_MOVED): TradeStatus.TP1_HIT,
        (TradeStatus.TP1_HIT, EventKind.TP2_HIT): TradeStatus.TP2_HIT,
        (TradeStatus.TP1_HIT, EventKind.SL_HIT): TradeStatus.SL_HIT,
        (TradeStatus.TP1_HIT, EventKind.EXPIRED): TradeStatus.EXPIRED,
        (TradeStatus.TP1_HIT, EventKind.CLOSED_MANUALLY): TradeStatus.CLOSED_MANUALLY,
        (TradeStatus.TP2_HIT, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.SL_HIT, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.EXPIRED, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
        (TradeStatus.CLOSED_MANUALLY, EventKind.CLOSED): TradeStatus.TRADE_CLOSED,
    }
)
#: What closes all that is left of a trade.
EXITS = frozenset(
    {EventKind.TP2_HIT, EventKind.SL_HIT, EventKind.EXPIRED, EventKind.CLOSED_MANUALLY}
)


class InvalidTransition(Exception):  # noqa: N818 - it names what happened
    """Something was asked of a trade that its status does not allow."""


def apply_event(
    trade: Trade,
    kind: EventKind,
    moment: Moment,
    *,
    price: Decimal | None = None,
    lots: Decimal = Decimal("0.00"),
    profit: Decimal = Decimal("0.00"),
    won: Decimal = Decimal("0.00"),
) -> tuple[Trade, TradeEvent]:
    """Take the trade one transition further; returns it with the event. Only this changes a status.

    Raises `InvalidTransition` where the table does not hold it.
    """
    after = TRANSITIONS.get((trade.status, kind))
    if after is None:
        raise InvalidTransition(f"{trade.signal_id}: no {kind} while {trade.status}")
    event = TradeEvent(
        kind=kind,
        before=trade.status,
        after=after,
        time_ms=moment.time_ms,
        ordinal=moment.ordinal,
        price=price,
        lots=lots,
        profit=profit,
        pips=won,
        stop_loss=trade.stop_loss,
    )
    return replace(trade, status=after, moved_ordinal=moment.ordinal), event
