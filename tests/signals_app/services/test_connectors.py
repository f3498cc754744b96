"""Who may send what, whose ticks are made up, and what connectors report."""

import pytest

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from signals_app.services.connectors import (
    ConnectorRevoked,
    allow_connector,
    is_simulated,
    record_connector_event,
)

pytestmark = pytest.mark.django_db


def test_a_connector_may_send_new_symbols_beside_its_old_ones() -> None:
    assert allow_connector("mt5", ["XAUUSD"]).symbols == ["XAUUSD"]
    assert allow_connector("mt5", ["EURUSD", "XAUUSD"]).symbols == ["EURUSD", "XAUUSD"]
    assert Connector.objects.get().symbols == ["EURUSD", "XAUUSD"]


def test_a_revoked_connector_is_allowed_nothing_more() -> None:
    Connector.objects.create(name="mt5", symbols=["XAUUSD"], is_revoked=True)
    with pytest.raises(ConnectorRevoked, match="mt5 is revoked"):
        allow_connector("mt5", ["EURUSD"])
    assert Connector.objects.get().symbols == ["XAUUSD"]


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
