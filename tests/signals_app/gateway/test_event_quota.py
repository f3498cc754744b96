"""How many events of a connector come through, and what stays of the others."""

from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.event_quota import EVENTS_A_MINUTE, ConnectorReportEvent, EventQuota

NOON = 1_704_456_000_000
GONE, BACK = ConnectorEventCode.MT5_DISCONNECTED, ConnectorEventCode.MT5_RECONNECTED


def event(
    message: str = "gone", at_ms: int = NOON, symbol: str = "", connector: str = "mt5"
) -> ConnectorReportEvent:
    code = BACK if message == "back" else GONE
    return ConnectorReportEvent(connector, code, symbol, message, at_ms)


def test_so_many_a_minute_come_through_and_the_last_stands_for_the_others() -> None:
    quota = EventQuota()
    reports = [event("back" if n % 2 else "gone", NOON + n) for n in range(100)]
    taken = [one for one in reports if quota.take(one)]
    assert taken == reports[:EVENTS_A_MINUTE]
    assert quota.release(NOON + 59_000) == []
    (last,) = quota.release(NOON + 60_000)
    assert (last.code, last.message) == (BACK, "back (after 89 other reports)")
    assert quota.release(NOON + 200_000) == []


def test_reports_that_say_the_same_are_counted() -> None:
    quota = EventQuota()
    for n in range(100):
        quota.take(event(at_ms=NOON + n))
    (last,) = quota.release(None)
    assert (last.message, last.times, last.at_ms) == ("gone", 90, NOON + 99)


def test_a_flood_that_goes_on_delays_what_is_held_back_no_further() -> None:
    quota = EventQuota()
    for n in range(100):
        quota.take(event(at_ms=NOON + n))
    assert quota.take(event(at_ms=NOON + 60_001)) is None
    assert [one.times for one in quota.release(NOON + 60_002)] == [91]


def test_symbols_and_connectors_are_apart() -> None:
    quota = EventQuota()
    for _ in range(EVENTS_A_MINUTE + 1):
        quota.take(event())
        quota.take(event(symbol="XAUUSD"))
    assert quota.take(event(connector="other")) is not None
    assert sorted(one.symbol for one in quota.release(None)) == ["", "XAUUSD"]


def test_a_quiet_connector_is_never_held_back() -> None:
    quota = EventQuota()
    assert all(quota.take(event(at_ms=NOON + 7_000 * n)) for n in range(8))
    assert quota.take(event(at_ms=NOON + 61_000)) is not None
