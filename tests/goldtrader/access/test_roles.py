"""What each role may do and may not: every page of the admin, every endpoint of the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rest_framework.test import APIClient

from goldtrader.access.roles import ADMINISTERS, OPERATES, RIGHTS, VIEWS, StaffRole, make_groups
from goldtrader.models import ApiKey
from goldtrader.operations import health
from signals_app.models import AuditEntry, Connector, Strategy
from tests.callers import API, caller
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import stored_trade
from trades_app.models import Message, Trade

pytestmark = pytest.mark.django_db

NOBODY, SUPERUSER = "nobody", "superuser"
WHO = (NOBODY, *StaffRole, SUPERUSER)

#: Who may open each page of the admin, from whom on, and from whom on may add and change there.
PAGES = {
    "signals_app_analysis": (StaffRole.VIEWER, None, None),
    "signals_app_auditentry": (StaffRole.ADMINISTRATOR, None, None),
    "signals_app_connector": (StaffRole.VIEWER, StaffRole.ADMINISTRATOR, StaffRole.ADMINISTRATOR),
    "signals_app_connectorevent": (StaffRole.VIEWER, None, None),
    "signals_app_decision": (StaffRole.VIEWER, None, None),
    "signals_app_instrument": (StaffRole.VIEWER, StaffRole.ADMINISTRATOR, StaffRole.ADMINISTRATOR),
    "signals_app_measuredprobability": (StaffRole.VIEWER, None, None),
    "signals_app_pricecandle": (StaffRole.VIEWER, None, None),
    "signals_app_signal": (StaffRole.VIEWER, None, None),
    "signals_app_strategy": (StaffRole.VIEWER, None, StaffRole.ADMINISTRATOR),
    "signals_app_streamposition": (StaffRole.VIEWER, None, None),
    "trades_app_channel": (StaffRole.VIEWER, StaffRole.ADMINISTRATOR, StaffRole.ADMINISTRATOR),
    "trades_app_message": (StaffRole.VIEWER, None, None),
    "trades_app_shadowtrade": (StaffRole.VIEWER, None, None),
    "trades_app_trade": (StaffRole.VIEWER, None, None),
    "reports_app_performancemetric": (StaffRole.VIEWER, None, None),
    "goldtrader_apikey": (
        StaffRole.ADMINISTRATOR,
        StaffRole.ADMINISTRATOR,
        StaffRole.ADMINISTRATOR,
    ),
    "auth_user": (SUPERUSER, SUPERUSER, SUPERUSER),
    "auth_group": (SUPERUSER, SUPERUSER, SUPERUSER),
    "django_celery_beat_periodictask": (SUPERUSER, SUPERUSER, SUPERUSER),
    "django_celery_beat_intervalschedule": (SUPERUSER, SUPERUSER, SUPERUSER),
    "django_celery_beat_crontabschedule": (SUPERUSER, SUPERUSER, SUPERUSER),
}
#: From whom on each action of a list is offered.
ACTIONS = {
    ("signals_app_connector", "revoke"): StaffRole.OPERATOR,
    ("signals_app_connector", "let_in_again"): StaffRole.ADMINISTRATOR,
    ("signals_app_signal", "cancel_waiting_trade"): StaffRole.OPERATOR,
    ("signals_app_strategy", "begin_shadow"): StaffRole.ADMINISTRATOR,
    ("signals_app_strategy", "make_live"): StaffRole.ADMINISTRATOR,
    ("signals_app_strategy", "retire_shadow"): StaffRole.ADMINISTRATOR,
    ("trades_app_channel", "check_now"): StaffRole.ADMINISTRATOR,
    ("trades_app_channel", "take_new_id"): StaffRole.ADMINISTRATOR,
    ("trades_app_message", "retry"): StaffRole.OPERATOR,
    ("trades_app_trade", "close_by_hand"): StaffRole.OPERATOR,
    ("auth_user", "delete_selected"): SUPERUSER,
    ("auth_group", "delete_selected"): SUPERUSER,
    ("goldtrader_apikey", "delete_selected"): SUPERUSER,
    **{
        (f"django_celery_beat_{model}", "delete_selected"): SUPERUSER
        for model in ("periodictask", "intervalschedule", "crontabschedule")
    },
    **{
        ("django_celery_beat_periodictask", action): SUPERUSER
        for action in ("enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks")
    },
}


def user_of(who: str) -> User:
    """Make a member of the staff with this role."""
    user = User.objects.create_user(who, is_staff=True, is_superuser=who == SUPERUSER)
    if who in {*StaffRole}:
        user.groups.add(Group.objects.get(name=who))
    return user


def client_of(who: str) -> Client:
    """Return a browser in which somebody of this role is logged in."""
    client = Client()
    client.force_login(user_of(who))
    return client


def with_rights(*rights: str) -> Client:
    """Return a browser of a member of the staff with just these rights."""
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def reaches(who: str, needed: str | None) -> bool:
    return needed is not None and WHO.index(who) >= WHO.index(needed)


@pytest.fixture(autouse=True)
def _rows() -> None:
    """A running trade with profit, and a row of each table that people change."""
    health.forget()
    trade = stored_trade(SIGNAL, 2055.0)
    Message.objects.create(
        key="signal:1", kind="SIGNAL", instrument="XAUUSD", signal=trade.signal, text="x"
    )
    Connector.objects.create(name="mt5", symbols=["XAUUSD"], last_seen=timezone.now())
    Strategy.objects.live()
    every = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="nightly", task="x", interval=every)
    ApiKey.objects.create_key(name="reader")


def test_every_page_is_in_the_matrix() -> None:
    registered = {
        f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry
    }
    assert set(PAGES) == registered


@pytest.mark.parametrize("who", WHO)
def test_pages_open_for_those_who_may_see_them_and_nobody_else(who: str) -> None:
    client = client_of(who)
    for page, (sees, adds, changes) in PAGES.items():
        listing = client.get(reverse(f"admin:{page}_changelist"))
        assert listing.status_code == (200 if reaches(who, sees) else 403), page
        adding = client.get(reverse(f"admin:{page}_add"))
        assert adding.status_code == (200 if reaches(who, adds) else 403), page
        app, _, model = page.rpartition("_")
        row = next(
            (
                found._default_manager.first()
                for found in admin.site._registry
                if (found._meta.app_label, found._meta.model_name) == (app, model)
            ),
            None,
        )
        if row is None:
            continue
        url = reverse(f"admin:{page}_change", args=(row.pk,))
        assert client.get(url).status_code == (200 if reaches(who, sees) else 403), page
        # An empty form changes nothing where it is taken: what counts is that it is refused.
        saved = client.post(url, {})
        assert (saved.status_code == 403) == (not reaches(who, changes)), page
        if who != SUPERUSER:
            removing = reverse(f"admin:{page}_delete", args=(row.pk,))
            assert client.post(removing, {"post": "yes"}).status_code == 403, page


@pytest.mark.parametrize("who", WHO)
def test_actions_are_offered_to_those_who_may_take_them(who: str) -> None:
    client = client_of(who)
    request = client.get(reverse("admin:index")).wsgi_request
    offered = {
        (f"{model._meta.app_label}_{model._meta.model_name}", action)
        for model, page in admin.site._registry.items()
        if page.has_view_permission(request)
        for action in page.get_actions(request)
    }
    assert offered == {each for each, needed in ACTIONS.items() if reaches(who, needed)}


@pytest.mark.parametrize("who", WHO)
def test_the_sidebar_leads_to_what_may_be_opened(who: str) -> None:
    client = client_of(who)
    page = client.get(reverse("admin:index"))
    groups = page.context["sidebar_navigation"]
    links = {item["link"] for group in groups for item in group["items"]}
    inner = {f"django_celery_beat_{model}" for model in ("intervalschedule", "crontabschedule")}
    assert links == {
        reverse("admin:index"),
        *(
            reverse(f"admin:{name}_changelist")
            for name, (sees, _, _) in PAGES.items()
            if reaches(who, sees) and name not in inner
        ),
    }
    assert all(group["items"] for group in groups)
    shown = page.content.decode()
    for name, (sees, _, _) in PAGES.items():
        if not reaches(who, sees):
            assert reverse(f"admin:{name}_changelist") not in shown, name


@pytest.mark.parametrize("who", WHO)
def test_positions_and_profit_are_shown_to_those_who_may_see_them(who: str) -> None:
    trade = Trade.objects.get()
    shown = client_of(who).get(reverse("admin:index")).content.decode()

    for words in ("Running trades", "Profit today", "Latest signals", trade.signal_id, "mt5"):
        assert (words in shown) == (who != NOBODY), words
    assert ("has no rights here yet" in shown) == (who == NOBODY)


def test_each_block_follows_its_own_right() -> None:
    shown = with_rights("view_connector").get(reverse("admin:index")).content.decode()

    assert "Connectors" in shown
    for words in ("Running trades", "Profit today", "Latest signals", "Last decision"):
        assert words not in shown


def test_links_to_pages_that_are_closed_are_no_links() -> None:
    trade = Trade.objects.get()
    url = reverse("admin:signals_app_signal_change", args=(trade.signal_id,))
    listing = reverse("admin:trades_app_message_changelist")

    assert url in client_of(StaffRole.VIEWER).get(listing).content.decode()
    shown = with_rights("view_message").get(listing).content.decode()
    assert trade.signal_id in shown
    assert url not in shown


@pytest.mark.parametrize(
    "right", ["change_user", "add_user", "change_group", "change_periodictask", "add_periodictask"]
)
def test_rights_that_would_give_every_other_give_nothing(right: str) -> None:
    client = with_rights(right, right.replace("change", "view").replace("add", "view"))
    own = User.objects.get(username="staff")
    task = PeriodicTask.objects.get()

    for url in (
        reverse("admin:auth_user_change", args=(own.pk,)),
        reverse("admin:auth_user_password_change", args=(own.pk,)),
        reverse("admin:auth_user_add"),
        reverse("admin:auth_group_add"),
        reverse("admin:django_celery_beat_periodictask_change", args=(task.pk,)),
        reverse("admin:django_celery_beat_periodictask_add"),
    ):
        assert client.get(url).status_code == 403
        assert client.post(url, {"is_superuser": "on"}).status_code == 403
    own.refresh_from_db()
    assert not own.is_superuser
    assert "run_tasks" not in str(client.get(reverse("admin:index")).content)


def new_key(client: Client, scope: str) -> bool:
    before = ApiKey.objects.count()
    client.post(
        reverse("admin:goldtrader_apikey_add"),
        {"name": "new", "scope": scope, "symbols": '["XAUUSD"]'},
    )
    return ApiKey.objects.count() > before


@pytest.mark.parametrize(
    ("who", "scopes"),
    [
        (NOBODY, set()),
        (StaffRole.OPERATOR, set()),
        (StaffRole.ADMINISTRATOR, {"read", "connector"}),
        (SUPERUSER, {"read", "connector", "admin"}),
    ],
)
def test_nobody_makes_a_key_that_may_do_more_than_himself(who: str, scopes: set[str]) -> None:
    client = client_of(who)
    assert {scope for scope in ApiKey.Scope.values if new_key(client, scope)} == scopes


def test_the_right_to_make_keys_alone_makes_none() -> None:
    client = with_rights("add_apikey", "change_apikey", "view_apikey")
    assert not any(new_key(client, scope) for scope in ApiKey.Scope.values)


def test_an_administrator_does_not_touch_keys_that_change_everything() -> None:
    key, _ = ApiKey.objects.create_key(name="root", scope="admin")
    url = reverse("admin:goldtrader_apikey_change", args=(key.pk,))
    client = client_of(StaffRole.ADMINISTRATOR)

    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "mine", "symbols": "[]", "revoked": "on"}).status_code == 403
    key.refresh_from_db()
    assert (key.name, key.revoked) == ("root", False)


def test_an_operator_cuts_off_and_lets_nobody_in() -> None:
    client = client_of(StaffRole.OPERATOR)
    listing = reverse("admin:signals_app_connector_changelist")

    client.post(listing, {"action": "revoke", "_selected_action": ["mt5"]})
    assert Connector.objects.get().is_revoked
    client.post(listing, {"action": "let_in_again", "_selected_action": ["mt5"]})
    assert Connector.objects.get().is_revoked


def test_a_viewer_changes_nothing_by_any_action() -> None:
    client = client_of(StaffRole.VIEWER)
    before = AuditEntry.objects.count()
    for (page, action), _ in ACTIONS.items():
        url = reverse(f"admin:{page}_changelist")
        client.post(url, {"action": action, "_selected_action": ["1", "mt5", "XAUUSD"]})
    assert AuditEntry.objects.exclude(action="requested").count() == before
    assert not Connector.objects.get().is_revoked


def test_the_search_finds_no_page_that_is_closed() -> None:
    found = client_of(NOBODY).get(reverse("admin:search"), {"s": "t"}).content.decode()
    assert "trade" not in found.lower()


def admin_urls(patterns: Any, name: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from admin_urls(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name


def test_every_url_of_the_admin_refuses_a_stranger_and_staff_without_rights() -> None:
    open_to_all = {"login", "logout", "jsi18n"}
    open_to_staff = {"index", "search", "password_change", "password_change_done"}
    resolver = next(
        each
        for each in get_resolver().url_patterns
        if isinstance(each, URLResolver) and each.namespace == "admin"
    )
    stranger, staff = Client(), client_of(NOBODY)
    checked = 0
    for name in set(admin_urls(resolver.url_patterns)):
        for arguments in ((), ("1",), (1, "1")):
            try:
                url = reverse(f"admin:{name}", args=arguments)
            except Exception:
                continue
            checked += 1
            if name not in open_to_all:
                response = stranger.get(url)
                assert response.status_code == 302, name
                assert response["Location"].startswith("/admin/login/"), name
            if name not in open_to_all | open_to_staff:
                assert staff.get(url).status_code in (302, 403, 404), name
    assert checked > 100


def test_roles_are_made_anew_with_just_their_rights() -> None:
    operator = Group.objects.get(name=StaffRole.OPERATOR)
    operator.permissions.add(Permission.objects.get(codename="change_user"))
    Group.objects.get(name=StaffRole.VIEWER).delete()

    make_groups()

    for role, rights in RIGHTS.items():
        group = Group.objects.get(name=role)
        given = {
            f"{each.content_type.app_label}.{each.codename}"
            for each in group.permissions.select_related("content_type")
        }
        assert given == rights, role
    assert VIEWS < OPERATES < ADMINISTERS


# The API: keys, whoever is logged in.

NO_KEY = "no key"
SCOPES = (NO_KEY, "read", "connector", "admin")
READING = {"read", "admin"}
#: Each endpoint, its method, a body, and with which keys it is answered.
ENDPOINTS: dict[str, tuple[str, str, Any, set[str]]] = {
    "health": ("get", "health", None, {*SCOPES}),
    "schema": ("get", "schema", None, {*SCOPES}),
    "docs": ("get", "docs", None, {*SCOPES}),
    "signals": ("get", "signals", None, READING),
    "active-signals": ("get", "signals/active", None, READING),
    "signal": ("get", f"signals/{SIGNAL.signal_id}", None, READING),
    "decisions": ("get", "decisions", None, READING),
    "trades": ("get", "trades", None, READING),
    "active-trades": ("get", "trades/active", None, READING),
    "trade": ("get", "trades/1", None, READING),
    "daily-performance": ("get", "performance/daily", None, READING),
    "weekly-performance": ("get", "performance/weekly", None, READING),
    "monthly-performance": ("get", "performance/monthly", None, READING),
    "candles": ("get", "candles?symbol=XAUUSD&timeframe=M15", None, READING),
    "probabilities": ("get", "probabilities", None, READING),
    "connectors": ("get", "connectors", None, READING),
    "config": ("get", "config", None, READING),
    "stream": ("get", "stream", None, READING),
    "connector-token": (
        "post",
        "connectors/token",
        {"name": "desk", "symbols": ["XAUUSD"]},
        {"connector", "admin"},
    ),
    "config-update": ("post", "config/update", {"threshold": 85}, {"admin"}),
}
#: Endpoints that change something; each leaves a row in the audit.
WRITES = {name for name, (method, *_) in ENDPOINTS.items() if method == "post"}


def api_names() -> set[str]:
    resolver = next(
        each
        for each in get_resolver().url_patterns
        if isinstance(each, URLResolver) and str(each.pattern) == "api/v1/"
    )
    return {str(each.name) for each in resolver.url_patterns}


def call(client: APIClient | Client, name: str) -> Any:
    method, path, body, _ = ENDPOINTS[name]
    path = path.replace("trades/1", f"trades/{Trade.objects.get().pk}")
    extra = {} if body is None else {"data": body, "content_type": "application/json"}
    if isinstance(client, APIClient) and body is not None:
        extra = {"data": body, "format": "json"}
    response = getattr(client, method)(f"{API}/{path}", **extra)
    if response.streaming:
        response.close = response.streaming_content.close
    return response


def test_every_endpoint_is_in_the_matrix() -> None:
    assert set(ENDPOINTS) == api_names()


@pytest.mark.parametrize("scope", SCOPES)
def test_endpoints_answer_the_keys_that_they_are_for_and_no_other(scope: str) -> None:
    client = APIClient() if scope == NO_KEY else caller(scope, name="desk", symbols=("XAUUSD",))
    for name, (*_, scopes) in ENDPOINTS.items():
        if name == "stream" and scope in scopes:
            continue  # its own tests open it
        refused = 401 if scope == NO_KEY else 403
        # Nothing runs beside the tests, so that health answers that the system is down.
        answered = 503 if name == "health" else 200
        assert call(client, name).status_code == (answered if scope in scopes else refused), name


@pytest.mark.parametrize("who", WHO)
def test_who_is_logged_in_has_no_part_in_the_api(who: str) -> None:
    client = client_of(who)
    for name, (*_, scopes) in ENDPOINTS.items():
        if NO_KEY not in scopes:
            assert call(client, name).status_code == 401, name


@pytest.mark.parametrize("name", sorted(WRITES))
def test_whatever_the_api_changes_is_in_the_audit(name: str) -> None:
    client = caller("admin", name="desk")
    before = AuditEntry.objects.order_by("pk").last()

    assert call(client, name).status_code == 200

    entries = AuditEntry.objects.filter(pk__gt=before.pk if before else 0)
    assert entries
    assert {(each.door, each.who) for each in entries} == {("api", "desk")}
    assert {each.via for each in entries} == {f"POST /api/v1/{ENDPOINTS[name][1]}"}


@pytest.mark.parametrize("name", sorted(api_names() - WRITES))
def test_what_only_reads_takes_no_other_method(name: str) -> None:
    path = ENDPOINTS[name][1].partition("?")[0]
    client = caller("admin")
    if name == "docs":
        return  # a page, not an endpoint
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"{API}/{path}").status_code in (403, 405), name
