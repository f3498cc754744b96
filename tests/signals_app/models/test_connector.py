"""Connectors and their events as rows."""

import pytest

from signals_app.models import Connector, ConnectorEvent


@pytest.mark.parametrize(("name", "is_simulated"), [("mt5-simulated", True), ("mt5", False)])
def test_a_simulated_connector_says_so_in_its_name(name: str, is_simulated: bool) -> None:
    assert Connector(name=name).is_simulated is is_simulated


def test_rows_are_shown_by_what_they_are() -> None:
    assert str(Connector(name="mt5")) == "mt5"
    assert str(ConnectorEvent(connector="mt5", code="PROMOTED")) == "mt5 PROMOTED"


@pytest.mark.django_db
def test_the_newest_event_comes_first() -> None:
    for code in ("FIRST", "SECOND"):
        ConnectorEvent.objects.create(connector="mt5", code=code)
    times = list(ConnectorEvent.objects.values_list("happened_at", flat=True))
    assert times == sorted(times, reverse=True)
