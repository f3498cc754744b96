"""The comparison of shadows with the live record, as lines and as JSON."""

import json
from decimal import Decimal

from signals_app.market.calendar import utc
from signals_app.models import Strategy
from trades_app.management.standings_table import standings_json, standings_table
from trades_app.shadow.standings import Standing

SHADOW = Standing(
    symbol="XAUUSD",
    strategy=Strategy(name="default", version=2),
    since=utc(1_704_463_200_000),
    trades=12,
    closed=11,
    won=6,
    mean_r=Decimal("0.31"),
    profit_loss=Decimal("1204.50"),
    skipped={"SCORE": 3},
)
LIVE = Standing(
    symbol="XAUUSD",
    strategy=None,
    since=None,
    trades=0,
    closed=0,
    won=0,
    mean_r=None,
    profit_loss=Decimal("0.00"),
    skipped={},
)


def test_figures_stand_below_their_headings() -> None:
    assert standings_table([SHADOW, LIVE]).splitlines() == [
        "symbol   strategy       since                trades closed   won  mean R       profit",
        "XAUUSD   default v2     2024-01-05T14:00         12     11     6   +0.31    +1,204.50",
        "XAUUSD   live           the beginning             0      0     0       -        +0.00",
    ]


def test_nothing_to_compare_is_a_sentence_and_an_empty_list() -> None:
    assert standings_table([]) == "No strategy has followed a close in shadow."
    assert json.loads(standings_json([])) == []


def test_json_says_what_was_skipped() -> None:
    shadow, live = json.loads(standings_json([SHADOW, LIVE]))

    assert (shadow["since"], shadow["skipped"]) == ("2024-01-05T14:00:00Z", {"SCORE": 3})
    assert (live["strategy"], live["mean_r"]) == (None, None)
