"""What a signal says of its score: the setup's name, the market structure, each timeframe."""

from collections.abc import Sequence
from dataclasses import dataclass

from signals_app.confluence.scoring import Reason, Score, Views
from signals_app.confluence.setup import latest_break
from signals_app.confluence.votes import break_name
from signals_app.market.direction import Direction
from signals_app.smc.views import TimeframeView


@dataclass(frozen=True, slots=True)
class Description:
    """The texts of a signal."""

    setup_type: str
    market_structure: str
    confluence_factors: tuple[str, ...]
    h4_context: str
    h1_context: str
    m15_context: str


#: For signals whose texts nobody reads.
UNDESCRIBED = Description("", "", (), "", "", "")


def describe(views: Views, best: Score) -> Description:
    """What a signal with this score says."""
    reasons = best.reasons
    h4_context, h1_context, m15_context = (context(view, best.direction, reasons) for view in views)
    return Description(
        setup_type=setup_type(best),
        market_structure=market_structure(views, best.direction),
        confluence_factors=tuple(reason.text for reason in reasons if reason.points > 0),
        h4_context=h4_context,
        h1_context=h1_context,
        m15_context=m15_context,
    )


def setup_type(best: Score) -> str:
    """The setup's name: a sweep and what the zone is made of, joined by `+`."""
    swept = ("LIQUIDITY_SWEEP",) * (best.sweep is not None)
    zone = best.zone.kinds if best.zone is not None else ()
    return "+".join(swept + zone) or "STRUCTURE"


def market_structure(views: Views, direction: Direction) -> str:
    """The last break in ``direction`` (BOS or CHoCH), the shortest timeframe's first."""
    for view in reversed(views):
        found = latest_break(view.structure, direction)
        if found is not None:
            return break_name(found.kind)
    return "NONE"


def context(view: TimeframeView, direction: Direction, reasons: Sequence[Reason]) -> str:
    """One timeframe in a sentence: its points for ``direction`` and what earned them."""
    votes = [reason for reason in reasons if reason.timeframe is view.timeframe]
    points = round(sum(reason.points for reason in votes), 2)
    maximum = sum(reason.maximum for reason in votes)
    earned = "; ".join(
        reason.text.removeprefix(f"{view.timeframe} ") for reason in votes if reason.points > 0
    )
    return f"{points:g} of {maximum:g} points for {direction}: {earned or 'nothing'}."
