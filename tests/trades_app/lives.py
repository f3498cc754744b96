"""Trades of every kind, made without the database."""

from collections.abc import Iterator
from dataclasses import replace

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.tick import Ticks
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import CloseOrder, Moment, Trade, TradeEvent

COSTLY = Parameters(
    commission_per_lot=7.0, swap_per_lot_night_buy=-3.25, slippage_pips=0.3, maximum_trade_hours=0.5
)


def lives() -> Iterator[tuple[TradingSignal, Trade, tuple[TradeEvent, ...]]]:
    """Yield a trade of each kind of end, with its signal and events."""
    for signal, *prices in (
        (SIGNAL, 2055.0, 2066.0),
        (SIGNAL, 2055.0, 2045.12345),
        (SIGNAL, 2039.98765),
        (SIGNAL, 2055.0),
        (SIGNAL,),
        (replace(SIGNAL, risk_percentage=0.5, entry_price=2045.49999), 2070.0),
        (SELL_SIGNAL, 2035.5, 2025.0),
        (SELL_SIGNAL, 2050.9),
    ):
        yield _lived(signal, prices, Parameters())
        yield _lived(signal, prices, COSTLY)
    trade, events = machine.open_trade(SIGNAL, GOLD, ENTRY, COSTLY)
    expired, last = machine.advance(trade, GOLD, _much_later(2047.2))
    yield SIGNAL, expired, events + last
    ordered = machine.order_close(trade, CloseOrder(12, CLOSE_MS + 2500))
    closed, last = machine.advance(ordered, GOLD, bids(2046.0, 2046.1, 2046.2))
    yield SIGNAL, closed, events + last
    planned = machine.plan_trade(SIGNAL, GOLD, Parameters())
    yield SIGNAL, *machine.cancel(planned, Moment.of(ENTRY))


def _lived(
    signal: TradingSignal, prices: list[float], parameters: Parameters
) -> tuple[TradingSignal, Trade, tuple[TradeEvent, ...]]:
    trade, events = machine.open_trade(signal, GOLD, ENTRY, parameters)
    if prices:
        trade, more = machine.advance(trade, GOLD, bids(*prices))
        events += more
    return signal, trade, events


def _much_later(price: float) -> Ticks:
    ticks = bids(price)
    return replace(ticks, time_ms=ticks.time_ms + 3_600_123)
