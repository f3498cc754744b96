"""Connectors and their events as rows."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

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


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"name": "mt 5", "symbols": ["XAUUSD"]}, "name"),
        ({"name": "mt5\0", "symbols": ["XAUUSD"]}, "name"),
        ({"name": "mt5", "symbols": "XAUUSD"}, "symbols"),
        ({"name": "mt5", "symbols": {"XAUUSD": 1}}, "symbols"),
        ({"name": "mt5", "symbols": [["XAUUSD"]]}, "symbols"),
        ({"name": "mt5", "symbols": ["XAU USD"]}, "symbols"),
    ],
)
def test_a_row_that_no_token_could_serve_is_refused(columns: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Connector(**columns).clean()
    assert set(refused.value.message_dict) == {wrong}
