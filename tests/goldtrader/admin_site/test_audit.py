"""Whatever is changed in the admin is in the audit, which can be read and taken along."""

import csv
import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from goldtrader.models import ApiKey
from signals_app.actor import Actor, Door, acting
from signals_app.models import AuditEntry, Connector, Instrument, Strategy, StreamPosition
from signals_app.services.audit import Change, record
from signals_app.services.audited_rows import followed_models
from signals_app.services.strategies import add_version
from tests.goldtrader.access.test_roles import ACTIONS
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import stored_trade
from trades_app.models import Channel, ChannelDelivery, Message, Trade

pytestmark = pytest.mark.django_db

LIST = "admin:signals_app_auditentry_changelist"
#: What is changed on the page of each table's row.
SAVED: dict[str, dict[str, Any]] = {
    "signals_app_connector": {"symbols": '["EURUSD"]'},
    "signals_app_instrument": {"is_active": ""},
    "signals_app_strategy": {"threshold": 85},
    "trades_app_channel": {"numbers": "DE"},
    "goldtrader_apikey": {"name": "renamed"},
    "auth_user": {
        "first_name": "Alice",
        "date_joined_0": "2024-01-05",
        "date_joined_1": "12:00:00",
    },
    "auth_group": {"name": "desk 2"},
    "django_celery_beat_periodictask": {"description": "changed"},
    "django_celery_beat_intervalschedule": {"every": 2},
    "django_celery_beat_crontabschedule": {"minute": "7"},
}


def since(before: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(pk__gt=before).order_by("pk"))


def last() -> int:
    entry = AuditEntry.objects.order_by("pk").last()
    return entry.pk if entry else 0


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A row of each table in which something can be changed, by its page."""
    monkeypatch.setattr("trades_app.tasks.deliver.delay", lambda: None)
    trade = stored_trade(SIGNAL)
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=100, time_ms=CLOSE_MS)
    message = Message.objects.create(
        key="signal:1", kind="SIGNAL", instrument="XAUUSD", signal=trade.signal, status="FAILED"
    )
    channel = Channel.objects.create(chat="@gold_of_mine")
    ChannelDelivery.objects.create(message=message, channel=channel, status="FAILED")
    Strategy.objects.live()
    every = IntervalSchedule.objects.create(every=1, period="hours")
    key, _ = ApiKey.objects.create_key(name="reader")
    return {
        "signals_app_connector": Connector.objects.create(name="mt5", symbols=["XAUUSD"]),
        "signals_app_instrument": Instrument.objects.get(symbol="XAUUSD"),
        "signals_app_strategy": Strategy.objects.live(),
        "signals_app_signal": trade.signal,
        "trades_app_trade": trade,
        "trades_app_channel": channel,
        "trades_app_message": message,
        "goldtrader_apikey": key,
        "auth_user": User.objects.create_user("alice"),
        "auth_group": Group.objects.create(name="desk"),
        "django_celery_beat_periodictask": PeriodicTask.objects.create(
            name="nightly", task="trades_app.tasks.deliver", interval=every
        ),
        "django_celery_beat_intervalschedule": every,
        "django_celery_beat_crontabschedule": CrontabSchedule.objects.create(),
    }


def changeable() -> set[str]:
    """The pages on which a superuser can save something."""
    request: Any = type("Request", (), {"user": User(is_superuser=True, is_active=True)})()
    return {
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model, page in admin.site._registry.items()
        if page.has_change_permission(request) or page.has_add_permission(request)
    }


def test_every_page_that_saves_something_saves_rows_that_are_followed() -> None:
    followed = {f"{model._meta.app_label}_{model._meta.model_name}" for model in followed_models()}
    assert changeable() == set(SAVED)
    assert changeable() <= followed


def form_of(client: Client, url: str) -> dict[str, Any]:
    """Return what a browser would send of the page's form, unchanged."""
    page = client.get(url)
    sent: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            match value:
                case None | False:
                    continue
                case True:
                    sent[field.html_name] = "on"
                case list() if not isinstance(field.field.widget.attrs, str):
                    many = [getattr(each, "pk", each) for each in value]
                    sent[field.html_name] = many
                case _:
                    sent[field.html_name] = value
    return sent


@pytest.mark.parametrize("page", sorted(SAVED))
def test_what_is_saved_on_a_page_is_in_the_audit(
    admin_client: Client, rows: dict[str, Any], page: str
) -> None:
    url = reverse(f"admin:{page}_change", args=(rows[page].pk,))
    before = last()

    response = admin_client.post(url, {**form_of(admin_client, url), **SAVED[page]})

    assert response.status_code == 302, response.context["adminform"].form.errors
    entries = since(before)
    assert entries
    assert {(each.door, each.who) for each in entries} == {("admin", "admin")}
    # The address of a key's page has the key's hash.
    shown = url if page != "goldtrader_apikey" else "/admin/goldtrader/apikey/(secret)/change/"
    assert {each.via for each in entries} == {f"POST {shown}"}
    assert "requested" not in {each.action for each in entries}
    assert any(
        name in (each.after or {}) for each in entries for name in (*SAVED[page], "parameters")
    )


@pytest.mark.parametrize(("page", "action"), sorted(ACTIONS))
def test_every_action_is_in_the_audit(
    admin_client: Client, rows: dict[str, Any], page: str, action: str, monkeypatch: Any
) -> None:
    row = rows[page]
    match action:
        case "let_in_again":
            Connector.objects.update(is_revoked=True)
        case "take_new_id":
            Channel.objects.filter(pk=row.pk).update(migrated_to="-1001234567890")
        case "make_live" | "begin_shadow":
            row = add_version({"threshold": 85})
        case "retire_shadow":
            row = add_version({"threshold": 85})
            row.status = "SHADOW"
            row.save()
        case "enable_tasks":
            PeriodicTask.objects.update(enabled=False)
        case "run_tasks":
            monkeypatch.setattr("trades_app.tasks.deliver.apply_async", lambda **_: "id")
        case "cancel_waiting_trade":
            cancelled = Change.of_row("cancelled", Trade.objects.get())
            monkeypatch.setattr(
                "trades_app.admin.actions.cancel_trade", lambda _: record(cancelled)
            )
    before = last()

    response = admin_client.post(
        reverse(f"admin:{page}_changelist"),
        {"action": action, "_selected_action": [str(row.pk)], "post": "yes"},
    )

    assert response.status_code == 302
    entries = since(before)
    assert entries
    assert {(each.door, each.who) for each in entries} == {("admin", "admin")}
    assert "requested" not in {each.action for each in entries}


def test_a_new_user_is_in_the_audit_without_the_password(admin_client: Client) -> None:
    before = last()
    password = "correct horse battery"

    admin_client.post(
        reverse("admin:auth_user_add"),
        {
            "username": "bob",
            "password1": password,
            "password2": password,
            "usable_password": "true",
        },
    )

    entry = next(each for each in since(before) if each.subject == "bob")
    assert (entry.action, entry.after["password"]) == ("created", "(secret)")
    for each in AuditEntry.objects.all():
        assert password not in f"{each.before}{each.after}{each.via}"
        assert User.objects.get(username="bob").password not in f"{each.before}{each.after}"


def entry(who: str, subject: str, **changes: Any) -> None:
    with acting(Actor(Door.API, who, "7f3cA9b1", "192.0.2.1", "POST /api/v1/x")):
        record(Change("changed", "signals_app.connector", subject, **changes))


def test_the_audit_is_read_and_neither_changed_nor_removed(admin_client: Client) -> None:
    entry("desk", "mt5", before={"symbols": ["A"]}, after={"symbols": ["B"]})
    row = AuditEntry.objects.get(who="desk")
    url = reverse("admin:signals_app_auditentry_change", args=(row.pk,))

    listing = admin_client.get(reverse(LIST)).content.decode()
    page = admin_client.get(url).content.decode()

    assert "symbols: [&quot;A&quot;] to [&quot;B&quot;]" in listing
    for words in ("desk", "7f3cA9b1", "192.0.2.1", "POST /api/v1/x"):
        assert words in page
    assert admin_client.post(url, {"who": "eve"}).status_code == 403
    assert admin_client.get(reverse("admin:signals_app_auditentry_add")).status_code == 403
    removing = reverse("admin:signals_app_auditentry_delete", args=(row.pk,))
    assert admin_client.post(removing, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in listing


def test_the_list_is_narrowed_down(admin_client: Client) -> None:
    entry("desk", "mt5")
    entry("other", "mt6")

    def found(**query: str) -> set[str]:
        page = admin_client.get(reverse(LIST), query)
        return {each.who for each in page.context["cl"].result_list} & {"desk", "other"}

    assert found() == {"desk", "other"}
    assert found(q="mt5") == {"desk"}
    assert found(q="192.0.2.1") == {"desk", "other"}
    assert found(door="api", subject_type="signals_app.connector") == {"desk", "other"}
    assert found(door="bot") == found(subject_type="auth.user") == set()


def exported(client: Client, **query: str) -> list[list[str]]:
    response = client.get(reverse("admin:audit_csv"), query)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_the_list_is_taken_along_as_csv(admin_client: Client) -> None:
    entry("=HYPERLINK(1)", "mt5", after={"symbols": ["B"]})
    entry("other", "mt6")

    head, *lines = exported(admin_client, q="mt5")

    assert head[:4] == ["at", "door", "who", "key"]
    (line,) = lines
    assert line[1:10] == [
        "api",
        "'=HYPERLINK(1)",
        "7f3cA9b1",
        "192.0.2.1",
        "POST /api/v1/x",
        "changed",
        "signals_app.connector",
        "mt5",
        "",
    ]
    assert line[10] == '{"symbols": ["B"]}'
    assert len(exported(admin_client)) > 2
    assert admin_client.get(reverse("admin:audit_csv"), {"at__year": "x"}).status_code == 400


def test_a_list_of_many_entries_costs_as_many_queries_as_one_of_few(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        entry("desk", f"mt5-{number}")
    with django_assert_max_num_queries(12):
        admin_client.get(reverse(LIST))


def test_whoever_may_not_read_it_gets_no_csv() -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(reverse("admin:audit_csv")).status_code == 403


def test_a_change_that_fails_leaves_neither_row_nor_record() -> None:
    before = last()
    with transaction.atomic():
        Connector.objects.create(name="mt5")
        transaction.set_rollback(True)
    assert since(before) == []
    assert connection.in_atomic_block
