"""No address and no form of the admin makes the server fail, whatever stands in it."""

from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldtrader.models import ApiKey
from tests.goldtrader.nasty import values
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LOOKUPS = ("", "__exact", "__year", "__month", "__day", "__isnull", "__in", "__gte", "__lt")
OF_LISTS = (
    *("q", "o", "p", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters"),
    *("running", "reason", "used", "other"),
)


@pytest.fixture
def operator(admin_client: Client) -> Client:
    stored_trade(numbered(1), 2055.0)
    ApiKey.objects.create_key(name="test")
    admin_client.raise_request_exception = False
    return admin_client


def fields_of(model: "type[models.Model]") -> list[str]:
    return [field.name for field in model._meta.concrete_fields]


def visit(operator: Client, model: "type[models.Model]", data: st.DataObject) -> Any:
    options = model._meta
    page = f"admin:{options.app_label}_{options.model_name}"
    columns = [f"{name}{lookup}" for name in fields_of(model) for lookup in LOOKUPS]
    filters = [
        str(each[0] if isinstance(each, tuple) else getattr(each, "parameter_name", each))
        for each in admin.site._registry[model].get_list_filter(None)
    ]
    names = st.sampled_from(OF_LISTS) | st.sampled_from(columns) | st.sampled_from(filters or ["x"])
    chosen = data.draw(st.lists(names, unique=True, max_size=4))
    query = "&".join(f"{name}={quote_from_bytes(data.draw(values))}" for name in chosen)
    kind = data.draw(st.sampled_from(("list", "list", "row", "action", "form")))
    if kind == "list":
        return operator.get(f"{reverse(f'{page}_changelist')}?{query}")
    pk = quote_from_bytes(data.draw(values), safe="") or "x"
    place = data.draw(st.sampled_from(("change", "history", "delete")))
    row = reverse(f"{page}_{place}", args=("PK",)).replace("PK", pk)
    if kind == "row":
        return operator.get(f"{row}?{query}")
    if kind == "action":
        form = {
            "action": data.draw(values),
            "_selected_action": data.draw(values),
            "index": data.draw(values),
        }
        return operator.post(f"{reverse(f'{page}_changelist')}?{query}", form)
    form = {
        name: data.draw(values)
        for name in data.draw(st.lists(st.sampled_from(fields_of(model)), unique=True))
    }
    return operator.post(data.draw(st.sampled_from((reverse(f"{page}_add"), row))), form)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_is_the_servers_fault(
    operator: Client, model: "type[models.Model]", data: st.DataObject
) -> None:
    with transaction.atomic():
        response = visit(operator, model, data)
        transaction.set_rollback(True)

    assert response.status_code < 500, (response.request, response.content)


@pytest.mark.parametrize("year", ["9999", "0", "10000", "99999999999999999999"])
@pytest.mark.parametrize(
    "model", [each for each in MODELS if admin.site._registry[each].date_hierarchy]
)
def test_a_year_that_no_calendar_has_leads_back_to_the_whole_list(
    operator: Client, model: "type[models.Model]", year: str
) -> None:
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    column = admin.site._registry[model].date_hierarchy

    answer = operator.get(page, {f"{column}__year": year})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{page}?e=1")
