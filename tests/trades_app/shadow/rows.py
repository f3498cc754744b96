"""Shadow trades made of live ones."""

import msgspec

from signals_app.market.calendar import utc
from signals_app.models import Strategy
from tests.trades_app.examples import SIGNAL
from trades_app.models import ShadowTrade, Trade


def shadow_trade(strategy: Strategy, row: Trade) -> ShadowTrade:
    """Store a copy of a live trade as the strategy's own."""
    trade = row.value()
    return ShadowTrade.objects.create(
        strategy=strategy,
        instrument="XAUUSD",
        close_time=utc(SIGNAL.timestamp_ms),
        signal=msgspec.to_builtins(SIGNAL),
        trade=msgspec.to_builtins(trade),
        events=[],
        is_open=trade.is_open,
        entry_ordinal=trade.entry_ordinal,
        exit_ordinal=trade.exit_ordinal,
        exit_time=row.exit_time,
        profit_loss=trade.profit_loss,
        r_multiple=trade.r_multiple,
    )
