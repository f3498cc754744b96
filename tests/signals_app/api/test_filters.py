"""What narrows lists of signals and decisions, and values that cannot."""

import pytest

from signals_app.market.calendar import iso
from signals_app.models import Decision
from tests.callers import API, caller
from tests.signals_app.pipeline.closes import stored_close
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_signal

pytestmark = pytest.mark.django_db

QUARTER = 900_000


def test_signals_are_narrowed_by_instrument_direction_status_and_time() -> None:
    stored_signal(numbered(1))
    stored_signal(numbered(2))
    client = caller()

    def found(**query: str) -> list[str]:
        rows = client.get(f"{API}/signals", query).json()["results"]
        return [row["signal_id"] for row in rows]

    assert found(instrument="EURUSD") == []
    assert found(instrument="XAUUSD", direction="BUY", status="ACTIVE") == [
        "XAU_20240105_002",
        "XAU_20240105_001",
    ]
    assert found(**{"from": "2024-01-05T14:45:00Z"}) == ["XAU_20240105_002"]
    assert found(to="2024-01-05T14:45:00Z") == ["XAU_20240105_001"]
    assert found(**{"from": "2024-01-06"}) == []
    refused = client.get(f"{API}/signals", {"from": "yesterday"})
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "from: Enter a valid date/time."
    refused = client.get(f"{API}/signals", {"direction": "UP"})
    assert refused.json()["error"]["message"].startswith("direction: Select a valid choice.")


@pytest.mark.parametrize(
    ("narrowed", "quarters"),
    [
        ({"instrument": "XAUUSD"}, [2, 1, 0]),
        ({"instrument": "EURUSD"}, []),
        ({"outcome": "REFUSED"}, [1]),
        ({"reason": "WARMING_UP"}, [1]),
        ({"direction": "SELL"}, []),
        ({"from": "2024-01-05T14:45:00Z"}, [2, 1]),
        ({"to": "2024-01-05T14:45:00Z"}, [0]),
        ({"limit": 1}, [2]),
    ],
)
def test_decisions_are_narrowed(narrowed: dict[str, str], quarters: list[int]) -> None:
    for number in range(3):
        stored_close(quarters=number)
    Decision.objects.filter(close_time_ms=CLOSE_MS + QUARTER).update(
        outcome="REFUSED", reason="WARMING_UP"
    )

    found = caller().get(f"{API}/decisions", narrowed).json()["results"]

    assert [each["timestamp"] for each in found] == [
        iso(CLOSE_MS + number * QUARTER) for number in quarters
    ]
