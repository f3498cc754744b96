"""Trades on paper, opened and moved by the live stream's ticks; announced to nobody."""

from decimal import Decimal

import msgspec
import structlog
from django.db import transaction

from signals_app.confluence.signal import TradingSignal
from signals_app.market import calendar
from signals_app.market import instrument as market
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Instrument, StreamPosition
from signals_app.pipeline import stream
from trades_app.lifecycle import machine
from trades_app.models import ShadowTrade
from trades_app.shadow.account import ShadowAccount
from trades_app.trading.opening import catch_up

log = structlog.get_logger(__name__)

#: The stream no longer holds the ticks that a trade would begin with.
TICKS_GONE = "TICKS_GONE"


def open_trade(
    account: ShadowAccount, signal: TradingSignal, entry: Tick, rate: Decimal | None = None
) -> str | None:
    """Open a signal's trade and let it catch up with the stream; return what hindered it."""
    symbol = signal.instrument
    # Whoever holds the position decides which ticks have moved trades.
    position = StreamPosition.objects.select_for_update().get(instrument=symbol)
    trade, events = machine.open_trade(signal, account.instrument, entry, account.parameters, rate)
    try:
        trade, more = catch_up(trade, account.instrument, position)
    except stream.TicksMissing:
        return TICKS_GONE
    row = ShadowTrade(
        strategy=account.strategy,
        instrument=symbol,
        close_time=calendar.utc(signal.timestamp_ms),
        signal=msgspec.to_builtins(signal),
        entry_ordinal=trade.entry_ordinal,
    )
    row.fill(trade, events + more)
    row.save(force_insert=True)
    log.info("shadow_trade_opened", signal_id=signal.signal_id, strategy=str(account.strategy))
    return None


def move(symbol: str, ticks: Ticks) -> None:
    """Move a symbol's open shadow trades; called in the transaction that uses the ticks."""
    rows = list(ShadowTrade.objects.open().filter(instrument=symbol).order_by("pk"))
    if not rows:
        return
    instrument = Instrument.objects.get(symbol=symbol).value()
    for row in rows:
        try:
            _move_one(row, instrument, ticks)
        except Exception as failure:
            # The live trades move in this transaction: no fault of a shadow may undo it.
            log.exception("shadow_trade_failed", shadow_trade=row.pk, symbol=symbol)
            ShadowTrade.objects.filter(pk=row.pk).update(is_open=False, failure=repr(failure)[:200])


def _move_one(row: ShadowTrade, instrument: market.Instrument, ticks: Ticks) -> None:
    trade, events = machine.advance(row.value(), instrument, ticks)
    if events:
        with transaction.atomic():
            row.fill(trade, events)
            row.save()
