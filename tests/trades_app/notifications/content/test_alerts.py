"""What operators read of an alert, made from what its row holds."""

import json

import msgspec
import pytest

from signals_app.connector_codes import ConnectorEventCode
from tests.trades_app.examples import CLOSE_MS
from trades_app.notifications.content import alerts
from trades_app.notifications.content.alerts import (
    CONNECTOR_REPORTS,
    Alert,
    ConnectorHeard,
    ConnectorReport,
    ConnectorSilent,
    FeedAlert,
    FeedFlowing,
    FeedStale,
    LoginBurst,
    TradeOverdue,
)

ALERTS: tuple[tuple[Alert, str], ...] = (
    (
        FeedStale(symbol="XAUUSD", quiet_seconds=360, last_tick_ms=CLOSE_MS),
        (
            "⚠️ XAUUSD: no tick for 6 min while the market is open. The last one is of "
            "2024-01-05T14:30:00Z. Open trades are moved when its ticks arrive."
        ),
    ),
    (
        FeedFlowing(symbol="XAUUSD", stale_seconds=7380),
        "✅ XAUUSD: ticks flow again, 2 h 03 min after the alert. Missed ticks were used.",
    ),
    (
        ConnectorSilent(connector="mt5", silent_seconds=360, last_heard_ms=CLOSE_MS),
        "⚠️ Connector mt5 is silent for 6 min; it was last heard at 2024-01-05T14:30:00Z.",
    ),
    (ConnectorHeard(connector="mt5"), "✅ Connector mt5 is heard again."),
    (
        TradeOverdue(
            symbol="XAUUSD",
            signal_id="XAU_20240105_001",
            was_ordered=True,
            due_ms=CLOSE_MS + 60_000,
            last_tick_ms=CLOSE_MS,
        ),
        (
            "⚠️ XAU_20240105_001 is still open: it was ordered to close at 2024-01-05T14:31:00Z, "
            "and no tick of XAUUSD was used since 2024-01-05T14:30:00Z. It closes at the first "
            "one that comes."
        ),
    ),
    (
        ConnectorReport(ConnectorEventCode.MT5_DISCONNECTED, "XAUUSD", "mt5", ""),
        "⚠️ MT5_DISCONNECTED XAUUSD (mt5): no details",
    ),
    (
        LoginBurst(wrong=31, seconds=3600, last_from="10.0.0.0/32"),
        (
            "⚠️ 31 wrong passwords within 1 h 00 min, the last one from 10.0.0.0/32. Who tries on "
            "has to wait; browsers in which somebody logged in before can still do so."
        ),
    ),
)


@pytest.mark.parametrize(("alert", "text"), ALERTS, ids=lambda each: type(each).__name__)
def test_each_alert_is_a_sentence_with_its_sign(alert: Alert, text: str) -> None:
    kept = json.dumps(msgspec.to_builtins(alert))

    assert alerts.text(json.loads(kept)) == text
    assert text.endswith(f" {alerts.sentence(alert)}")


def test_alerts_of_the_feed_bear_the_codes_of_their_connector_events() -> None:
    found = {alert.code for alert, _ in ALERTS if isinstance(alert, FeedAlert)}

    assert found == set(ConnectorEventCode) - set(CONNECTOR_REPORTS)


def test_data_of_no_alert_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        alerts.text({"alert": "EARTHQUAKE"})
