"""How an instrument's account stood just before a tick, read from its trades' events."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure, TradedZone
from signals_app.market.calendar import HOUR_MS, trading_day
from signals_app.market.instrument import Instrument
from trades_app.lifecycle.trade import EventKind, Trade, TradeEvent

#: The longest trading day: the one on which New York's clocks go back.
_DAY_HOURS = 25


def memory_ms(parameters: Parameters) -> int:
    """How long a closed trade can still matter to `exposure_before`, by its exit time.

    Of older ones only the profit counts: it may be given as ``settled``.
    """
    hours = max(parameters.zone_memory_hours, _DAY_HOURS, parameters.cool_down_minutes / 60)
    return round(hours * HOUR_MS)


def exposure_before(
    ordinal: int,
    time_ms: int,
    histories: Iterable[tuple[Trade, Sequence[TradeEvent]]],
    instrument: Instrument,
    parameters: Parameters,
    settled: Decimal = Decimal(0),
) -> Exposure:
    """The account as after all ticks below ``ordinal``, whatever the trades did later.

    ``histories`` are the instrument's trades with all their events; those that closed longer than
    `memory_ms` before ``time_ms`` may be left out where ``settled`` holds their profit.
    """
    today = trading_day(time_ms).date
    remembered_from = time_ms - round(parameters.zone_memory_hours * HOUR_MS)
    balance, profit_today = instrument.starting_balance + settled, Decimal(0)
    open_trades, zones, last_loss_time_ms = 0, [], None
    for trade, events in histories:
        past = [event for event in events if event.ordinal < ordinal]
        if not past:
            continue
        profit = sum((event.profit for event in past), Decimal(0))
        balance += profit
        profit_today += sum(
            (e.profit for e in past if trading_day(e.time_ms).date == today), Decimal(0)
        )
        is_open = past[-1].kind is not EventKind.CLOSED
        open_trades += is_open
        if is_open or trade.entry_time_ms >= remembered_from:
            zones.append(TradedZone(trade.direction, trade.zone_top, trade.zone_bottom))
        if not is_open and profit < 0:
            closed_ms = past[-1].time_ms
            last_loss_time_ms = max(last_loss_time_ms or closed_ms, closed_ms)
    return Exposure(balance, open_trades, tuple(zones), last_loss_time_ms, profit_today)
