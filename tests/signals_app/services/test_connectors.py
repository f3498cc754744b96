"""Who may send what, whose ticks are made up, and what connectors report."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from signals_app.services.api_keys import KeyRights
from signals_app.services.connectors import (
    MOST_CONNECTORS,
    ConnectorRevoked,
    NotAllowed,
    Permit,
    TokenRights,
    allow_connector,
    cut_off,
    forget_connector_events,
    is_simulated,
    let_in_again,
    permits,
    record_connector_event,
    report_connector_event,
    widen,
)
from tests.signals_app.services.test_api_keys import registered

pytestmark = pytest.mark.django_db


OPERATOR = KeyRights("dashboard", None)
LONDON = KeyRights("london", frozenset({"XAUUSD", "EURUSD"}))
NOON = 1_704_456_000


def test_a_new_connector_may_send_what_its_key_is_for() -> None:
    assert allow_connector("mt5", ["XAUUSD"], OPERATOR).symbols == ["XAUUSD"]

    made = allow_connector("london-2", ["XAUUSD"], LONDON)

    assert (made.symbols, made.owner) == (["EURUSD", "XAUUSD"], "london")


@pytest.mark.parametrize("key", [OPERATOR, LONDON])
def test_a_connectors_symbols_are_a_ceiling_for_every_key(key: KeyRights) -> None:
    Connector.objects.create(name="london", symbols=["XAUUSD"])

    with pytest.raises(NotAllowed, match=r"^The connector london may not send EURUSD: add it"):
        allow_connector("london", ["XAUUSD", "EURUSD"], key)

    assert Connector.objects.get().symbols == ["XAUUSD"]


def test_a_key_gets_tokens_of_its_own_connectors_alone() -> None:
    Connector.objects.create(name="london-desk", symbols=["XAUUSD"])
    allow_connector("london-2", ["XAUUSD"], LONDON)
    longer = KeyRights("london-2", frozenset({"XAUUSD"}))

    for name in ("london", "london-2", "london-new"):
        allow_connector(name, ["XAUUSD"], LONDON)
    # A key of just this name is the connector's too.
    allow_connector("london-2", ["XAUUSD"], longer)
    with pytest.raises(NotAllowed, match=r"^The connector london-desk is not this key's"):
        allow_connector("london-desk", ["XAUUSD"], LONDON)
    with pytest.raises(NotAllowed, match=r"^This key is the connector london's, not paris's"):
        allow_connector("paris", ["XAUUSD"], LONDON)
    with pytest.raises(NotAllowed, match=r"^This key does not carry USDCAD"):
        allow_connector("london", ["USDCAD"], LONDON)


def test_a_key_makes_no_crowd_of_connectors() -> None:
    rows = [Connector(name=f"london-{n}", owner="london") for n in range(MOST_CONNECTORS)]
    Connector.objects.bulk_create(rows)

    with pytest.raises(NotAllowed, match="has made 50 connectors"):
        allow_connector("london-one-more", ["XAUUSD"], LONDON)


def test_a_revoked_connector_is_allowed_nothing_more() -> None:
    Connector.objects.create(name="mt5", symbols=["XAUUSD"], is_revoked=True)
    with pytest.raises(ConnectorRevoked, match="mt5 is revoked"):
        allow_connector("mt5", ["XAUUSD"], OPERATOR)


def permit(connector: str, key: str = "", issued_at: int = NOON) -> Permit:
    (found,) = permits([TokenRights(connector, key, issued_at)])
    return found


def test_a_permit_is_what_row_and_key_both_allow() -> None:
    keys = {
        "all": KeyRights("dashboard", None),
        "own": KeyRights("mt5", frozenset({"XAUUSD"})),
        "other": KeyRights("paris", frozenset({"XAUUSD"})),
    }
    Connector.objects.create(name="mt5", symbols=["EURUSD", "XAUUSD"])

    with registered(lambda ids: {key: keys[key] for key in ids if key in keys}):
        assert permit("mt5") == Permit("", frozenset({"EURUSD", "XAUUSD"}))
        assert permit("mt5", "all") == Permit("", frozenset({"EURUSD", "XAUUSD"}))
        assert permit("mt5", "own") == Permit("", frozenset({"XAUUSD"}))
        assert permit("mt5", "other").refusal == "the connector is no longer the API key's"
        assert "revoked or has expired" in permit("mt5", "gone").refusal
        assert permit("stranger").refusal == "the connector is revoked"


def test_a_connector_that_was_cut_off_needs_a_new_token_when_it_is_let_in() -> None:
    connector = Connector.objects.create(name="mt5", symbols=["XAUUSD"])
    before = int(time.time()) - 1

    assert cut_off(connector)
    assert not cut_off(connector)
    assert permit("mt5", issued_at=before).refusal == "the connector is revoked"

    assert let_in_again(connector)
    assert not let_in_again(connector)
    assert "older than the connector's last revocation" in permit("mt5", issued_at=before).refusal
    assert permit("mt5", issued_at=before + 3).refusal == ""


def test_the_operator_of_a_key_widens_what_its_connectors_may_send() -> None:
    Connector.objects.create(name="london", symbols=["XAUUSD"])
    Connector.objects.create(name="london-2", symbols=["GBPUSD"], owner="london")
    Connector.objects.create(name="london-desk", symbols=["XAUUSD"])

    widen("london", ["EURUSD", "XAUUSD"])

    assert dict(Connector.objects.values_list("name", "symbols")) == {
        "london": ["EURUSD", "XAUUSD"],
        "london-2": ["EURUSD", "GBPUSD", "XAUUSD"],
        "london-desk": ["XAUUSD"],
    }


@pytest.mark.parametrize("symbols", [None, "XAUUSD", {"XAUUSD": 1}, [["XAUUSD"]], [1, None], [{}]])
def test_a_row_that_makes_no_sense_allows_nothing_and_spoils_no_other(symbols: object) -> None:
    Connector.objects.create(name="odd", symbols=symbols or 0)
    Connector.objects.create(name="mt5", symbols=["XAUUSD", "x y", 7])

    odd, good = permits([TokenRights(name, "", NOON) for name in ("odd", "mt5")])

    assert (odd, good) == (Permit(""), Permit("", frozenset({"XAUUSD"})))


def test_permits_cost_two_queries_however_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    tokens = [TokenRights(f"mt5-{n}", f"key-{n}", NOON) for n in range(50)]
    Connector.objects.bulk_create(Connector(name=each.connector) for each in tokens)

    with django_assert_num_queries(2):
        assert len(permits(tokens)) == 50


def test_a_symbol_is_simulated_where_any_of_its_connectors_is() -> None:
    for name in ("mt5", "demo-simulated"):
        Connector.objects.create(name=name)
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"mt5": 1, "demo-simulated": 5})
    StreamPosition.objects.create(instrument="EURUSD", seqs={"mt5": 1})
    assert [is_simulated(symbol) for symbol in ("XAUUSD", "EURUSD", "GBPUSD")] == [
        True,
        False,
        False,
    ]


def test_an_event_is_cut_to_what_its_columns_hold() -> None:
    code = ConnectorEventCode.MT5_DISCONNECTED
    record_connector_event("m" * 65, code, "S" * 21, "go\0ne" + "x" * 1000)
    event = ConnectorEvent.objects.get()
    assert (len(event.connector), event.code, len(event.instrument)) == (64, code, 20)
    assert event.message == "gone" + "x" * 996


def reported() -> list[tuple[str, str, int]]:
    events = ConnectorEvent.objects.order_by("pk")
    return [(event.instrument, event.message, event.times) for event in events]


def test_a_report_that_repeats_the_last_one_is_counted() -> None:
    gone, back = ConnectorEventCode.MT5_DISCONNECTED, ConnectorEventCode.MT5_RECONNECTED
    for _ in range(3):
        report_connector_event("mt5", gone, "", "gone")
    report_connector_event("mt5", gone, "", "gone", 5)
    report_connector_event("mt5", gone, "XAUUSD", "gone")
    report_connector_event("mt5", back, "", "works")
    report_connector_event("mt5", gone, "", "gone")

    assert reported() == [("", "gone", 8), ("XAUUSD", "gone", 1), ("", "works", 1), ("", "gone", 1)]


def test_a_report_like_an_old_one_is_a_new_one() -> None:
    report_connector_event("mt5", ConnectorEventCode.MT5_DISCONNECTED, "", "gone")
    ConnectorEvent.objects.update(last_at=timezone.now() - timedelta(minutes=11))
    report_connector_event("mt5", ConnectorEventCode.MT5_DISCONNECTED, "", "gone")

    assert reported() == [("", "gone", 1)] * 2


def test_no_field_of_an_event_keeps_a_zero_character() -> None:
    report_connector_event("m\0t5", ConnectorEventCode.MT5_DISCONNECTED, "XAU\0USD", "go\0ne")

    event = ConnectorEvent.objects.get()
    assert (event.connector, event.instrument, event.message) == ("mt5", "XAUUSD", "gone")


def test_old_events_are_forgotten() -> None:
    for days in (100, 80):
        report_connector_event(f"mt5-{days}", ConnectorEventCode.MT5_DISCONNECTED, "", "gone")
        moment = timezone.now() - timedelta(days=days)
        ConnectorEvent.objects.filter(connector=f"mt5-{days}").update(last_at=moment)

    assert forget_connector_events() == 1
    assert ConnectorEvent.objects.get().connector == "mt5-80"
