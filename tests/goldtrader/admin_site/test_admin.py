"""Every page of the admin opens, with and without rows, at a bounded number of queries."""

import re
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from goldtrader.admin_site.sidebar import sidebar
from goldtrader.models import ApiKey
from goldtrader.operations import health
from reports_app.track_record.performance import recompute
from signals_app.admin.strategies import StrategyAdmin
from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.models import (
    Analysis,
    Connector,
    ConnectorEvent,
    Decision,
    PriceCandle,
    Strategy,
    StreamPosition,
)
from signals_app.services.strategies import add_version, change_parameters
from signals_app.smc.analysis import view_gaps, view_liquidity, view_order_blocks, view_structure
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_trade
from trades_app.models import Channel, ChannelDelivery, Message

pytestmark = pytest.mark.django_db

PAGES = sorted(
    f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry
)


@pytest.fixture
def operator(admin_client: Client) -> Client:
    health.forget()
    return admin_client


def findings() -> dict[str, object]:
    """Return what the detectors say of a window that rises and falls."""
    close = 2045 + 5 * np.sin(np.arange(20) / 2)
    candles = Candles(
        CLOSE_MS + 900_000 * np.arange(20), close, close + 1, close - 1, close, np.full(20, 90.0)
    )
    views = {
        "structure": view_structure,
        "gaps": view_gaps,
        "order_blocks": view_order_blocks,
        "liquidity": view_liquidity,
    }
    return {name: msgspec.to_builtins(view(candles)) for name, view in views.items()}


@pytest.fixture
def rows() -> None:
    """Some of everything: a dozen trades, their messages and candles, a simulated connector."""
    for number in range(1, 13):
        trade = stored_trade(numbered(number), *(2055.0, 2065.0)[: number % 3])
        Message.objects.create(
            key=f"signal:{number}",
            kind="SIGNAL",
            instrument="XAUUSD",
            signal=trade.signal,
            text="x",
        )
        Decision.objects.create(
            instrument="XAUUSD",
            close_time_ms=CLOSE_MS + number * 900_000,
            outcome="REFUSED",
            reason="SPREAD_TOO_WIDE",
            score=Decimal("81.5"),
            direction="BUY",
        )
        ConnectorEvent.objects.create(connector="mt5", code="MT5_DISCONNECTED")
    PriceCandle.objects.bulk_create(
        PriceCandle.of(
            "XAUUSD",
            Timeframe.M15,
            [Candle(CLOSE_MS + i * 900_000, 2045.5, 2046.25, 2044, 2045, 90) for i in range(12)],
            PriceCandle.Source.TICKS,
        )
    )
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=10, time_ms=CLOSE_MS, bid=2045.3)
    Analysis.objects.create(
        instrument="XAUUSD", timeframe="M15", close_time_ms=CLOSE_MS, candles=20, view=findings()
    )
    Connector.objects.create(
        name="mt5-simulated",
        symbols=["XAUUSD"],
        roles={"XAUUSD": "active"},
        last_seen=timezone.now(),
    )
    ApiKey.objects.create_key(name="test")
    recompute()


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_without_rows(operator: Client, page: str) -> None:
    assert operator.get(reverse(f"admin:{page}_changelist")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("rows")
def test_every_list_and_row_opens(
    operator: Client, page: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        assert operator.get(reverse(f"admin:{page}_changelist")).status_code == 200
    model = next(
        model
        for model in admin.site._registry
        if f"{model._meta.app_label}_{model._meta.model_name}" == page
    )
    row = model._default_manager.first()
    if row is not None:
        with django_assert_max_num_queries(16):
            assert operator.get(reverse(f"admin:{page}_change", args=(row.pk,))).status_code == 200


def test_every_page_has_its_place_in_the_sidebar(operator: Client) -> None:
    links = {
        item["link"]
        for group in sidebar(operator.get(reverse("admin:index")).wsgi_request)
        for item in group["items"]
    }
    # The timetable's own pages lead to these.
    reached = {"django_celery_beat_crontabschedule", "django_celery_beat_intervalschedule"}

    assert links == {
        reverse("admin:index"),
        *(reverse(f"admin:{page}_changelist") for page in PAGES if page not in reached),
    }


@pytest.mark.usefixtures("rows")
def test_prices_are_shown_with_the_instruments_digits(operator: Client) -> None:
    page = operator.get(reverse("admin:trades_app_trade_changelist")).content.decode()

    assert "2,045.50" in page
    assert "2,045.50000" not in page
    assert "+725.00" in page


@pytest.mark.usefixtures("rows")
def test_what_a_record_was_made_of_stays(operator: Client) -> None:
    traded, other = (
        operator.get(reverse("admin:signals_app_instrument_change", args=(symbol,)))
        for symbol in ("XAUUSD", "EURUSD")
    )

    assert 'name="contract_size"' not in traded.content.decode()
    assert 'name="telegram_channel"' in traded.content.decode()
    assert 'name="contract_size"' in other.content.decode()


@pytest.mark.usefixtures("rows")
def test_a_simulated_feed_is_marked_on_every_page(operator: Client) -> None:
    for page in ("index", "signals_app_signal_changelist"):
        assert "SIMULATED FEED" in operator.get(reverse(f"admin:{page}")).content.decode()
    connectors = operator.get(reverse("admin:signals_app_connector_changelist"))
    assert ">SIMULATED<" in connectors.content.decode()


def test_a_real_feed_wears_no_mark(operator: Client) -> None:
    Connector.objects.create(name="mt5-london", symbols=["XAUUSD"])

    assert "SIMULATED" not in operator.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("rows")
def test_the_first_page_tells_what_runs(operator: Client) -> None:
    page = operator.get(reverse("admin:index")).content.decode()

    assert "Running trades" in page
    assert "mt5-simulated" in page
    assert "XAU_20240105_012" in page


@pytest.mark.parametrize(
    "page", ["signals_app_signal", "trades_app_trade", "signals_app_decision", "trades_app_message"]
)
@pytest.mark.usefixtures("rows")
def test_rows_of_the_pipeline_are_not_made_or_removed_by_hand(operator: Client, page: str) -> None:
    listing = operator.get(reverse(f"admin:{page}_changelist")).content.decode()

    assert operator.get(reverse(f"admin:{page}_add")).status_code == 403
    assert "delete_selected" not in listing


def act(operator: Client, page: str, action: str, *pks: object) -> str:
    response = operator.post(
        reverse(f"admin:{page}_changelist"),
        {"action": action, "_selected_action": [str(pk) for pk in pks]},
        follow=True,
    )
    return response.content.decode()


def test_a_connector_is_revoked_and_let_in_again(operator: Client) -> None:
    Connector.objects.create(name="mt5")

    assert "1 revoked." in act(operator, "signals_app_connector", "revoke", "mt5")
    assert Connector.objects.get().is_revoked

    act(operator, "signals_app_connector", "let_in_again", "mt5")
    assert not Connector.objects.get().is_revoked


@pytest.mark.usefixtures("rows")
def test_a_failed_message_is_sent_again(
    operator: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent = []
    monkeypatch.setattr("trades_app.admin.outbox.deliver.delay", lambda: sent.append(1))
    Message.objects.update(status="FAILED", error="chat not found", attempts=5)
    channel = Channel.objects.create(chat="@gold")
    for message in Message.objects.all():
        ChannelDelivery.objects.create(message=message, channel=channel, status="FAILED")
    first, second = Message.objects.order_by("pk")[:2]
    Message.objects.filter(pk=second.pk).update(status="SENT")

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        shown = act(operator, "trades_app_message", "retry", first.pk, second.pk)

    assert "1 will be sent." in shown
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.error, first.attempts) == ("WAITING", "", 0)
    assert second.status == "SENT"
    assert sent == [1]


def test_decisions_are_counted_by_the_reason_that_refused_them(operator: Client) -> None:
    for close_ms in range(3):
        Decision.objects.create(
            instrument="XAUUSD", close_time_ms=close_ms, reason="BELOW_THRESHOLD"
        )
    url = reverse("admin:signals_app_decision_changelist")

    assert "below threshold (3)" in operator.get(url).content.decode()
    narrowed = operator.get(url, {"reason": "BELOW_THRESHOLD"})
    assert narrowed.context["cl"].result_count == 3
    assert operator.get(url, {"reason": "NO_RATE"}).context["cl"].result_count == 0


def parameters_on(operator: Client, strategy: Strategy) -> dict[str, object]:
    page = operator.get(reverse("admin:signals_app_strategy_change", args=(strategy.pk,)))
    form = page.context["adminform"].form
    return {
        name: "" if (value := form.get_initial_for_field(field, name)) is None else value
        for name, field in form.fields.items()
    }


def test_saving_parameters_makes_the_next_version(operator: Client) -> None:
    live = Strategy.objects.live()
    url = reverse("admin:signals_app_strategy_change", args=(live.pk,))
    shown = parameters_on(operator, live)

    operator.post(url, {**shown, "threshold": 85, "maximum_trade_hours": ""})

    following = Strategy.objects.live()
    assert (following.version, following.parameters) == (
        2,
        {"threshold": 85.0, "maximum_trade_hours": None},
    )
    live.refresh_from_db()
    assert (live.status, live.parameters) == ("RETIRED", {})
    assert parameters_on(operator, following)["threshold"] == 85.0


def test_parameters_that_contradict_each_other_are_not_saved(operator: Client) -> None:
    live = Strategy.objects.live()
    url = reverse("admin:signals_app_strategy_change", args=(live.pk,))
    shown = parameters_on(operator, live)

    page = operator.post(url, {**shown, "take_profit_1_r": 3}).content.decode()

    assert "must not be above take_profit_2_r" in page
    assert Strategy.objects.count() == 1


def test_what_another_operator_changed_meanwhile_is_kept(
    operator: Client, admin_user: User, rf: RequestFactory
) -> None:
    live = Strategy.objects.live()
    shown = parameters_on(operator, live)
    request = rf.post("/")
    request.user = admin_user
    page = StrategyAdmin(Strategy, admin.site)
    form = page.get_form(request, live)({**shown, "threshold": 85}, instance=live)
    assert form.is_valid()
    change_parameters({"risk_percentage": 0.5})

    page.save_model(request, live, form, change=True)

    assert Strategy.objects.live().differences() == {"threshold": 85.0, "risk_percentage": 0.5}


def test_a_version_is_made_live_and_the_live_one_is_retired(operator: Client) -> None:
    first, second = Strategy.objects.live(), add_version({"threshold": 85})
    url = reverse("admin:signals_app_strategy_changelist")

    def make_live(*versions: Strategy) -> str:
        chosen = {"action": "make_live", "_selected_action": [each.pk for each in versions]}
        return operator.post(url, chosen, follow=True).content.decode()

    assert "Choose one version: only one is live." in make_live(first, second)
    assert "default v2 is live and decides from the next close on." in make_live(second)
    assert "default v2 is live already." in make_live(second)
    assert Strategy.objects.live() == second
    first.refresh_from_db()
    assert first.status == "RETIRED"


def test_a_retired_version_can_only_be_read(operator: Client) -> None:
    live = Strategy.objects.live()
    Strategy.objects.update(status="RETIRED")
    url = reverse("admin:signals_app_strategy_change", args=(live.pk,))

    assert operator.post(url, {"threshold": 85}).status_code == 403
    assert operator.get(url).status_code == 200


def test_a_new_api_key_is_shown_once(operator: Client) -> None:
    added = operator.post(
        reverse("admin:goldtrader_apikey_add"),
        {"name": "dashboard", "scope": "read", "symbols": "[]"},
        follow=True,
    ).content.decode()

    key = ApiKey.objects.get()
    found = re.search(rf"{key.prefix}\.\w{{32}}", added)
    assert found is not None
    assert ApiKey.objects.is_valid(found[0])
    again = operator.get(reverse("admin:goldtrader_apikey_change", args=(key.pk,)))
    assert found[0] not in again.content.decode()
