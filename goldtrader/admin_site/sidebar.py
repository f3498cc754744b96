"""The admin's sidebar, in the order of what an operator asks at 3 a.m., and its badge."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from signals_app.models import Connector

#: What each group of pages answers, and its pages: title, symbol, admin page.
_PAGES = (
    (
        "Is it running?",
        (
            ("Connectors", "cable", "signals_app_connector"),
            ("Connector events", "report", "signals_app_connectorevent"),
            ("Stream positions", "stream", "signals_app_streamposition"),
        ),
    ),
    (
        "What did it do?",
        (
            ("Signals", "notifications_active", "signals_app_signal"),
            ("Trades", "swap_vert", "trades_app_trade"),
            ("Messages", "outbox", "trades_app_message"),
            ("Shadow trades", "compare_arrows", "trades_app_shadowtrade"),
            ("Performance", "monitoring", "reports_app_performancemetric"),
        ),
    ),
    (
        "Why, or why not?",
        (
            ("Decisions", "gavel", "signals_app_decision"),
            ("Analyses", "query_stats", "signals_app_analysis"),
            ("Candles", "candlestick_chart", "signals_app_pricecandle"),
            ("Probabilities", "percent", "signals_app_measuredprobability"),
        ),
    ),
    (
        "Settings",
        (
            ("Instruments", "toll", "signals_app_instrument"),
            ("Channels", "forum", "trades_app_channel"),
            ("Strategies", "tune", "signals_app_strategy"),
            ("Timetable", "schedule", "django_celery_beat_periodictask"),
        ),
    ),
    (
        "Access",
        (
            ("API keys", "key", "goldtrader_apikey"),
            ("Users", "person", "auth_user"),
            ("Groups", "group", "auth_group"),
            ("Audit", "history", "signals_app_auditentry"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages that the user may open, and no empty group of them."""
    now = {"title": "Now", "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [now]}]
    for title, pages in _PAGES:
        items = [
            {"title": name, "icon": icon, "link": reverse(f"admin:{page}_changelist")}
            for name, icon, page in pages
            if _may_open(request, page)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _may_open(request: HttpRequest, page: str) -> bool:
    app, _, model = page.rpartition("_")
    return admin.site.get_model_admin(apps.get_model(app, model)).has_view_permission(request)


def environment(request: HttpRequest) -> list[str] | None:  # noqa: ARG001
    """The badge of every page: whether any ticks here are made up."""
    if any(connector.is_simulated for connector in Connector.objects.filter(is_revoked=False)):
        return ["SIMULATED FEED", "warning"]
    return None
