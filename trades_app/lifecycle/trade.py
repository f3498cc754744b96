"""A trade, its events and the lots that were closed, as values."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from signals_app.market.direction import Direction
from signals_app.market.encoding import INTERNAL
from signals_app.market.rounding import drop_signs_of_zero, rounded
from signals_app.market.tick import Tick
from trades_app.lifecycle.risk import Costs

_HUNDREDTH = Decimal("0.01")


class TradeStatus(StrEnum):
    """Where a trade stands. At rest it is one of MONITORING, TP1_HIT, TRADE_CLOSED, CANCELLED."""

    SIGNAL_GENERATED = "SIGNAL_GENERATED"
    TRADE_OPENED = "TRADE_OPENED"
    MONITORING = "MONITORING"
    TP1_HIT = "TP1_HIT"
    TP2_HIT = "TP2_HIT"
    SL_HIT = "SL_HIT"
    EXPIRED = "EXPIRED"
    CLOSED_MANUALLY = "CLOSED_MANUALLY"
    TRADE_CLOSED = "TRADE_CLOSED"
    CANCELLED = "CANCELLED"


class EventKind(StrEnum):
    """What happened to a trade."""

    OPENED = "OPENED"
    MONITORING_STARTED = "MONITORING_STARTED"
    TP1_HIT = "TP1_HIT"
    STOP_MOVED = "STOP_MOVED"
    TP2_HIT = "TP2_HIT"
    SL_HIT = "SL_HIT"
    EXPIRED = "EXPIRED"
    CLOSED_MANUALLY = "CLOSED_MANUALLY"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


#: The statuses in which ticks move a trade.
OPEN_STATUSES = frozenset({TradeStatus.MONITORING, TradeStatus.TP1_HIT})


@dataclass(frozen=True, slots=True)
class Moment:
    """The tick that something happened at."""

    time_ms: int
    ordinal: int

    @classmethod
    def of(cls, tick: Tick) -> "Moment":
        """The tick's own."""
        return cls(tick.time_ms, tick.ordinal)


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """An operator's order to close a trade, at a price that nobody knew when it was given.

    `after_ordinal` is the last tick that was used by then, `from_ms` the time that it was given.
    """

    after_ordinal: int
    from_ms: int

    def holds_at(self, moment: Moment) -> bool:
        """Whether a tick came after the order.

        Both count: ticks of the time before may come late, after the feed was cut off.
        """
        return moment.ordinal > self.after_ordinal and moment.time_ms >= self.from_ms


@dataclass(frozen=True, slots=True)
class PartialClose:
    """Lots that were closed: why, when, at which price, and what they earned."""

    kind: EventKind
    time_ms: int
    ordinal: int = field(metadata=INTERNAL)
    price: Decimal
    lots: Decimal
    profit: Decimal
    pips: Decimal

    def __post_init__(self) -> None:
        drop_signs_of_zero(self, "lots", "profit", "pips")


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """One transition of one trade, and the tick that caused it.

    `price` is the fill, `None` where nothing was traded; `lots` and `profit` (account currency,
    commission and swap included) are what it opened or closed and earned, `pips` the fill's
    distance from the entry, `stop_loss` the stop from then on.
    """

    kind: EventKind
    before: TradeStatus
    after: TradeStatus
    time_ms: int
    ordinal: int
    price: Decimal | None
    lots: Decimal
    profit: Decimal
    pips: Decimal
    stop_loss: Decimal

    def __post_init__(self) -> None:
        drop_signs_of_zero(self, "lots", "profit", "pips")


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as it stands after the event at `moved_ordinal`.

    Prices have five decimals; money is account currency in whole cents. `stop_loss` is the one in
    force, `initial_risk` the money lost at the first one. `profit_loss` is realised so far and net
    of costs; `profit_loss_pips` is per lot of the whole size. The `exit_...` are `None` while it
    is open; `expires_at_ms` is `None` where it may stay for ever, `close_order` where nobody
    ordered to close it. `rate` is the price of its rate pair (`market.conversion`) for its whole
    life, `None` where it needs none.
    """

    signal_id: str
    instrument: str
    direction: Direction
    status: TradeStatus
    lots: Decimal
    remaining_lots: Decimal = field(metadata=INTERNAL)
    entry_time_ms: int
    entry_ordinal: int = field(metadata=INTERNAL)
    entry_price: Decimal
    stop_loss: Decimal
    initial_stop_loss: Decimal
    take_profit_1: Decimal
    take_profit_2: Decimal
    zone_top: Decimal = field(metadata=INTERNAL)
    zone_bottom: Decimal = field(metadata=INTERNAL)
    initial_risk: Decimal = field(metadata=INTERNAL)
    costs: Costs = field(metadata=INTERNAL)
    expires_at_ms: int | None = field(metadata=INTERNAL)
    moved_ordinal: int = field(metadata=INTERNAL)
    exit_time_ms: int | None = None
    exit_ordinal: int | None = field(default=None, metadata=INTERNAL)
    exit_price: Decimal | None = None
    exit_reason: EventKind | None = None
    profit_loss: Decimal = Decimal("0.00")
    profit_loss_pips: Decimal = Decimal("0.00")
    partial_closes: tuple[PartialClose, ...] = ()
    close_order: CloseOrder | None = field(default=None, metadata=INTERNAL)
    rate: Decimal | None = field(default=None, metadata=INTERNAL)

    def __post_init__(self) -> None:
        drop_signs_of_zero(self, "profit_loss", "profit_loss_pips")

    @property
    def is_open(self) -> bool:
        """Whether ticks still move it."""
        return self.status in OPEN_STATUSES

    @property
    def r_multiple(self) -> Decimal | None:
        """The profit so far in units of the initial risk; `None` where that was nothing."""
        if not self.initial_risk:
            return None
        return rounded(self.profit_loss / self.initial_risk, _HUNDREDTH)
