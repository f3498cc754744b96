"""Every name that dashboards are written against is served, with the figures of the database."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from reports_app import metrics as figures
from signals_app.models import Decision, StreamPosition
from tests.callers import API, caller
from tests.docs.pages import REFERENCE, text
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db

NAMES = (
    "signals_generated_total",
    "trades_opened_total",
    "trades_closed_total",
    "win_rate_percentage",
    "average_risk_reward",
    "websocket_connections_active",
    "api_requests_total",
    "database_queries_duration_bucket",
    "memory_usage_bytes",
    "daily_pips_total",
    "daily_profit_loss",
    "active_trades_count",
    "tick_to_analysis_seconds_bucket",
    "signal_generation_seconds_bucket",
    "telegram_delivery_seconds_bucket",
    "ticks_received_total",
    "ticks_rejected_total",
    "stream_lag_ticks",
)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_CACHE_SECONDS", -1.0)


def scrape(client: Client) -> dict[str, float]:
    """Return each sample of /metrics by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = (line.rpartition(" ") for line in answer.content.decode().splitlines())
    return {name: float(value) for name, _, value in samples if not name.startswith("#")}


def test_every_promised_name_is_there_before_anything_happened(client: Client) -> None:
    names = {sample.partition("{")[0] for sample in scrape(client)}

    assert set(NAMES) <= names


def test_the_reference_names_what_dashboards_are_written_against() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)`", text(REFERENCE / "metrics.md"), re.MULTILINE))

    assert {name.removesuffix("_bucket") for name in NAMES} <= documented


def test_trading_figures_are_those_of_the_database(client: Client) -> None:
    stored_trade(numbered(1), 2039.0)
    stored_trade(numbered(2), 2055.0, 2065.0)
    stored_trade(numbered(1, days=3))
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=20, time_ms=CLOSE_MS)

    samples = scrape(client)

    gold = '{instrument="XAUUSD"}'
    assert {name: samples[f"{name}{gold}"] for name in NAMES if f"{name}{gold}" in samples} == {
        "signals_generated_total": 3.0,
        "trades_opened_total": 3.0,
        "trades_closed_total": 2.0,
        "win_rate_percentage": 50.0,
        "average_risk_reward": 3.55,
        "daily_pips_total": 80.0,
        "daily_profit_loss": 400.0,
        "active_trades_count": 1.0,
    }


def test_requests_and_queries_are_counted(client: Client) -> None:
    name = 'api_requests_total{endpoint="signals",method="GET",status="200"}'
    before = scrape(client)
    caller().get(f"{API}/signals")
    after = scrape(client)

    assert after[name] - before.get(name, 0.0) == 1.0
    assert after["database_queries_duration_count"] > before["database_queries_duration_count"]


def test_processes_that_share_a_directory_are_added_up(tmp_path: Path) -> None:
    count = (
        "import django; django.setup()\n"
        "from goldtrader.operations.collectors import ProcessMetrics\n"
        "from signals_app.gateway import metrics as gateway\n"
        "from signals_app.metrics import tick_to_analysis\n"
        "tick_to_analysis.observe(0.05)\n"
        "gateway.connections_active.inc()\n"
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "registry = CollectorRegistry()\n"
        "registry.register(ProcessMetrics(is_alone=False))\n"
        "print(generate_latest(registry).decode())\n"
    )
    scraped = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", count],
            env={
                **os.environ,
                "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
                "DJANGO_SETTINGS_MODULE": "goldtrader.settings",
            },
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for _ in range(2)
    ]

    assert "tick_to_analysis_seconds_count 2.0" in scraped[1]
    # The first process is gone, and its connection with it.
    assert "websocket_connections_active 1.0" in scraped[1]


def test_refusals_are_counted_by_their_reason(client: Client) -> None:
    for close_ms, reason in enumerate(("BELOW_THRESHOLD", "BELOW_THRESHOLD", "ZONE_TRADED", "")):
        Decision.objects.create(instrument="XAUUSD", close_time_ms=close_ms, reason=reason)

    counted = {
        name: value
        for name, value in scrape(client).items()
        if name.startswith("decisions_refused")
    }

    assert counted == {
        'decisions_refused_total{instrument="XAUUSD",reason="BELOW_THRESHOLD"}': 2,
        'decisions_refused_total{instrument="XAUUSD",reason="ZONE_TRADED"}': 1,
    }
