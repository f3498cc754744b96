"""What a signal says of its score: the setup's name, the market structure, each timeframe."""

from signals_app.confluence.scoring import Score, Views
from signals_app.confluence.setup import latest_break
from signals_app.confluence.votes import break_name
from signals_app.market.direction import Direction
from signals_app.smc.views import TimeframeView


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


def context(view: TimeframeView, best: Score) -> str:
    """One timeframe in a sentence: its points and what earned them."""
    votes = [reason for reason in best.reasons if reason.timeframe is view.timeframe]
    points = round(sum(reason.points for reason in votes), 2)
    maximum = sum(reason.maximum for reason in votes)
    earned = "; ".join(
        reason.text.removeprefix(f"{view.timeframe} ") for reason in votes if reason.points > 0
    )
    return f"{points:g} of {maximum:g} points for {best.direction}: {earned or 'nothing'}."
