"""The comparison that `manage.py shadow` prints: a line for each strategy and the live record."""

import json
from collections.abc import Sequence

from signals_app.market.calendar import iso, milliseconds
from signals_app.market.rounding import unsigned_zeros
from trades_app.shadow.standings import Standing, standing_as_json

_HEADINGS = ("symbol", "strategy", "since", "trades", "closed", "won", "mean R", "profit")
_LINE = "{:<8} {:<14} {:<20} {:>6} {:>6} {:>5} {:>7} {:>12}"


def standings_table(standings: Sequence[Standing]) -> str:
    """Lines of equal columns below their headings, or a sentence where there is nothing."""
    if not standings:
        return "No strategy has followed a close in shadow."
    return "\n".join(_LINE.format(*row) for row in (_HEADINGS, *map(_cells, standings)))


def standings_json(standings: Sequence[Standing]) -> str:
    """A JSON list of what `standings_table` shows, and of the closes that were skipped."""
    return json.dumps(unsigned_zeros(list(map(standing_as_json, standings))), indent=2)


def _cells(one: Standing) -> tuple[str, ...]:
    return (
        one.symbol,
        "live" if one.strategy is None else str(one.strategy),
        "the beginning" if one.since is None else iso(milliseconds(one.since))[:16],
        str(one.trades),
        str(one.closed),
        str(one.won),
        "-" if one.mean_r is None else f"{one.mean_r:+z.2f}",
        f"{one.profit_loss:+z,.2f}",
    )
