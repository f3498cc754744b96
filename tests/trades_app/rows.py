"""Rows of signals and trades, as the pipeline writes them."""

from dataclasses import replace
from datetime import timedelta

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market import calendar
from signals_app.market.tick import Ticks
from signals_app.models import Decision, Signal, Strategy
from signals_app.pipeline.hash_chain import link_signal
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SIGNAL, bids
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.trading.events import close_signal, store_events

DAY_MS = 86_400_000


def numbered(number: int, *, days: int = 0) -> TradingSignal:
    """Return the example signal as number ``number``, so many quarters and days later."""
    later_ms = days * DAY_MS + (number - 1) * 900_000
    return replace(
        SIGNAL,
        signal_id=f"XAU_202401{5 + days:02}_{number:03}",
        timestamp_ms=SIGNAL.timestamp_ms + later_ms,
        entry_time_ms=SIGNAL.entry_time_ms + later_ms,
    )


def stored_signal(signal: TradingSignal = SIGNAL) -> Signal:
    """Return the signal's row, in the database."""
    row = Signal.of(signal, Strategy.objects.live())
    row.save(force_insert=True)
    link_signal(row)
    return row


def stored_trade(signal: TradingSignal = SIGNAL, *prices: float) -> models.Trade:
    """Return the trade's row after these bids, in the database with its signal and events."""
    signal_stored = stored_signal(signal)
    entry = replace(ENTRY, time_ms=signal.entry_time_ms)
    trade, events = machine.open_trade(signal, GOLD, entry, Parameters())
    if prices:
        ticks = bids(*prices)
        moved = replace(ticks, time_ms=ticks.time_ms + signal.timestamp_ms - SIGNAL.timestamp_ms)
        trade, more = machine.advance(trade, GOLD, moved)
        events += more
    row = models.Trade(signal=signal_stored)
    row.fill(trade)
    row.save(force_insert=True)
    store_events(row, events, first_number=1)
    close_signal(signal_stored, trade)
    return row


def decided(outcome: str, *, stored_after: timedelta = timedelta(milliseconds=500)) -> Decision:
    """Return the example's decision, stored so long after its close."""
    decision = Decision.objects.create(
        instrument="XAUUSD",
        close_time_ms=CLOSE_MS,
        entry_ordinal=10,
        entry_time_ms=CLOSE_MS + 400,
        entry_bid=2045.3,
        entry_ask=2045.5,
        outcome=outcome,
    )
    created_at = calendar.utc(CLOSE_MS) + stored_after
    Decision.objects.filter(pk=decision.pk).update(created_at=created_at)
    return decision


def ticks_at(seconds: int, *prices: float, first_ordinal: int = 21) -> Ticks:
    """Return ticks one second apart, the first so many seconds after the example's close."""
    ticks = bids(*prices, first_ordinal=first_ordinal)
    return replace(ticks, time_ms=ticks.time_ms + 1000 * (seconds - 1))


def kinds(trade: models.Trade) -> list[str]:
    return list(trade.events.values_list("kind", flat=True))
