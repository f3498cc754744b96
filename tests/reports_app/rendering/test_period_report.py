"""What followers read of a period, made from what its row holds."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import msgspec

from reports_app.performance.statistics import Period, TradeResult
from reports_app.rendering import period_report
from reports_app.rendering.period_report import PeriodReport
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS

DIGEST = "ab" * 32
FRIDAY = dt.date(2024, 1, 5)


def traded(number: int, profit: str, **changes: Any) -> TradeResult:
    """A trade that was signalled, opened and closed on Friday."""
    standard = {
        "signal_id": f"XAU_20240105_{number:03}",
        "instrument": "XAUUSD",
        "direction": "BUY",
        "session": "LONDON",
        "setup_type": "FVG",
        "signalled_ms": CLOSE_MS,
        "opened_ms": CLOSE_MS,
        "closed_ms": CLOSE_MS + 60_000 * number,
        "profit_loss": Decimal(profit),
        "profit_loss_pips": Decimal(profit) / 10,
        "r_multiple": Decimal("1.25"),
        "risk_reward_ratio": 3.5,
    }
    return TradeResult(**(standard | changes))


def written(period: Period, first_day: dt.date, *results: TradeResult, **more: Any) -> list[str]:
    """The lines of a report, of whose data a JSON column keeps everything."""
    report = PeriodReport("XAUUSD", period, first_day, results, DIGEST, **more)
    return period_report.text(json.loads(json.dumps(msgspec.to_builtins(report)))).splitlines()


def test_losses_stand_before_wins_and_groups_where_there_are_several() -> None:
    lines = written(Period.DAY, FRIDAY, traded(1, "725.00"), traded(2, "-325.00", direction="SELL"))

    assert lines == [
        "📅 XAUUSD DAILY REPORT · Friday, 2024-01-05",
        "",
        "Signals: 2 · trades closed: 2",
        "🛑 Lost: 1 (-$325.00)",
        "🏁 Won: 1 (+$725.00) · win rate 50%",
        "Result: +$400.00 (+40.0 pips)",
        "Profit factor: 2.23",
        "Expectancy: +1.25 R a trade",
        "Average planned R:R: 1:3.50",
        "Deepest fall on the way: -$325.00",
        "",
        "🛑 XAU_20240105_002 SELL: -$325.00 (-32.5 pips) = +1.25 R",
        "🏁 XAU_20240105_001 BUY: +$725.00 (+72.5 pips) = +1.25 R",
        "",
        "Directions:",
        "BUY: 1 won, 0 lost, +$725.00",
        "SELL: 0 won, 1 lost, -$325.00",
        "",
        f"🔗 Record: {DIGEST}",
    ]


def test_trades_of_other_periods_are_left_out() -> None:
    later = traded(2, "-325.00", signalled_ms=CLOSE_MS + DAY_MS, closed_ms=CLOSE_MS + DAY_MS)

    lines = written(Period.DAY, FRIDAY, traded(1, "725.00"), later)

    assert "Signals: 1 · trades closed: 1" in lines
    assert not any("XAU_20240105_002" in line for line in lines)


def test_a_period_without_a_closed_trade_says_so() -> None:
    lines = written(Period.WEEK, dt.date(2024, 1, 1), traded(1, "0.00", closed_ms=None))

    assert lines == [
        "📅 XAUUSD WEEKLY REPORT · 2024-01-01 to 2024-01-07",
        "",
        "Signals: 1 · no trade was closed",
        "",
        f"🔗 Record: {DIGEST}",
    ]


def test_a_simulated_feed_is_named_before_anything_else() -> None:
    lines = written(Period.MONTH, dt.date(2024, 1, 1), traded(1, "1.00"), is_simulated=True)

    assert lines[:3] == [
        "🧪 SIMULATED FEED: these prices are made up 🧪",
        "",
        "📅 XAUUSD MONTHLY REPORT · January 2024",
    ]


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    many = [traded(number, "-10.00") for number in range(1, 101)]

    lines = written(Period.DAY, FRIDAY, *many)

    listed = [line for line in lines if line.startswith("🛑 XAU")]
    assert f"… and {100 - len(listed)} more" in lines
    assert len("\n".join(lines)) < 4096
