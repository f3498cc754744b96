"""Closes in the ledger whose analyses are stored, as the pipeline leaves them to be decided."""

import msgspec

from signals_app.market import calendar
from signals_app.market.tick import Tick
from signals_app.models import Analysis, Decision
from signals_app.pipeline import analysis
from tests.signals_app.confluence.views import CLOSE_MS, Drawing, bullish_market

ENTRY = Tick(77, CLOSE_MS + 250, 2000.0, 2000.3)
QUARTER = 15 * 60_000


def stored_close(
    market: tuple[Drawing, Drawing, Drawing] | None = None,
    *,
    symbol: str = "XAUUSD",
    entry: Tick | None = ENTRY,
    quarters: int = 0,
) -> Decision:
    """Return a close, so many quarters of an hour after the example's, analysed and scored."""
    later_ms = quarters * QUARTER
    h4, h1, m15 = market or bullish_market()
    for drawing in (h4, h1, m15):
        drawing.close_time_ms += later_ms
        _store(symbol, drawing)
    decision = Decision.objects.create(
        instrument=symbol,
        close_time_ms=m15.close_time_ms,
        h1_close_ms=h1.close_time_ms,
        h4_close_ms=h4.close_time_ms,
    )
    if entry is not None:
        decision.entry_ordinal = entry.ordinal + quarters
        decision.entry_time_ms = entry.time_ms + later_ms
        decision.entry_bid, decision.entry_ask = entry.bid, entry.ask
        decision.save()
    analysis.score_closes(symbol)
    return Decision.objects.get(pk=decision.pk)


def _store(symbol: str, drawing: Drawing) -> None:
    view = drawing.view()
    Analysis.objects.create(
        instrument=symbol,
        timeframe=drawing.timeframe,
        close_time_ms=drawing.close_time_ms,
        candles=drawing.candles,
        view={
            "structure": msgspec.to_builtins(view.structure),
            "gaps": msgspec.to_builtins(view.gaps),
            "order_blocks": msgspec.to_builtins(view.order_blocks),
            "liquidity": msgspec.to_builtins(view.liquidity),
        },
        completed_at=calendar.utc(drawing.close_time_ms),
    )
