"""Rows of signals and trades, as the pipeline writes them."""

from dataclasses import replace

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.models import Signal, Strategy
from signals_app.pipeline.hash_chain import link_signal
from tests.trades_app.examples import ENTRY, GOLD, SIGNAL, bids
from trades_app import models
from trades_app.lifecycle import machine
from trades_app.trading import services

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
    link_signal(row, signal)
    row.save(force_insert=True)
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
    services._insert_events(row, events, first_number=1)
    services._close_signal(signal_stored, trade)
    return row
