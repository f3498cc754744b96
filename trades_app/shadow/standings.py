"""How strategies in shadow compare with the live record of the same time (A/B)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from signals_app.market import calendar
from signals_app.market.rounding import rounded
from signals_app.models import Strategy
from trades_app import models
from trades_app.lifecycle.trade import Trade, TradeStatus
from trades_app.models import ShadowPosition, ShadowTrade


@dataclass(frozen=True, slots=True)
class Standing:
    """What a strategy's trades of one symbol came to since a shadow began, to be compared.

    `strategy` is `None` for the live record, whichever versions made it; `skipped` are then empty.
    `mean_r` is of the closed trades, `None` where there are none; `profit_loss` (account currency)
    is all that was realised; `since` is `None` where the shadow began with the first close.
    """

    symbol: str
    strategy: Strategy | None
    since: datetime | None
    trades: int
    closed: int
    won: int
    mean_r: Decimal | None
    profit_loss: Decimal
    skipped: Mapping[str, int]


def compare(symbol: str | None = None) -> list[Standing]:
    """For each shadow its standing, followed by the live record's of the same time.

    Newest strategy first; those that have not followed a close yet are left out.
    """
    positions = ShadowPosition.objects.exclude(close_time=None).select_related("strategy")
    if symbol is not None:
        positions = positions.filter(instrument=symbol)
    found: list[Standing] = []
    for position in positions.order_by("-strategy", "instrument"):
        made = ShadowTrade.objects.filter(
            strategy=position.strategy, instrument=position.instrument, failure=""
        )
        recorded = models.Trade.objects.exclude(status=TradeStatus.CANCELLED).filter(
            instrument=position.instrument, signal__timestamp__lte=position.close_time
        )
        if position.began_at is not None:
            made = made.filter(close_time__gt=position.began_at)
            recorded = recorded.filter(signal__timestamp__gt=position.began_at)
        own = [row.value() for row in made.order_by("close_time")]
        live = [row.value() for row in recorded.order_by("entry_ordinal")]
        found.append(_standing(position, position.strategy, own, position.skipped))
        found.append(_standing(position, None, live, {}))
    return found


def standing_as_json(one: Standing) -> dict[str, Any]:
    """Plain values; `strategy` is null for the live record, `since` for the beginning."""
    return {
        "symbol": one.symbol,
        "strategy": None if one.strategy is None else str(one.strategy),
        "since": None if one.since is None else calendar.iso(calendar.milliseconds(one.since)),
        "trades": one.trades,
        "closed": one.closed,
        "won": one.won,
        "mean_r": None if one.mean_r is None else float(one.mean_r),
        "profit_loss": float(one.profit_loss),
        "skipped": dict(one.skipped),
    }


def _standing(
    position: ShadowPosition,
    strategy: Strategy | None,
    trades: Sequence[Trade],
    skipped: Mapping[str, int],
) -> Standing:
    closed = [trade for trade in trades if not trade.is_open]
    multiples = [trade.r_multiple for trade in closed if trade.r_multiple is not None]
    mean = sum(multiples, Decimal(0)) / len(multiples) if multiples else None
    return Standing(
        symbol=position.instrument,
        strategy=strategy,
        since=position.began_at,
        trades=len(trades),
        closed=len(closed),
        won=sum(trade.profit_loss > 0 for trade in closed),
        mean_r=None if mean is None else rounded(mean, Decimal("0.01"), ROUND_HALF_EVEN),
        profit_loss=sum((trade.profit_loss for trade in trades), Decimal("0.00")),
        skipped=skipped,
    )
