"""Trades made in shadow, as the admin lists them."""

import pytest
from django.test import Client
from django.urls import reverse

from signals_app.models import Strategy
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import stored_trade
from tests.trades_app.shadow.rows import shadow_trade
from trades_app.models import ShadowTrade

pytestmark = pytest.mark.django_db


def test_each_is_listed_with_its_version_status_and_profit(admin_client: Client) -> None:
    strategy = Strategy.objects.create(
        name="default", version=2, status=Strategy.Status.SHADOW, parameters={}
    )
    lost = shadow_trade(strategy, stored_trade(SIGNAL, 2039.0))

    page = admin_client.get(reverse("admin:trades_app_shadowtrade_changelist")).content.decode()

    for shown in ("default v2", SIGNAL.signal_id, "TRADE_CLOSED", f"{abs(lost.profit_loss):,.2f}"):
        assert shown in page


def test_one_that_could_not_be_followed_says_why(admin_client: Client) -> None:
    strategy = Strategy.objects.create(
        name="default", version=2, status=Strategy.Status.SHADOW, parameters={}
    )
    shadow_trade(strategy, stored_trade())
    ShadowTrade.objects.update(failure="no ticks", trade={})

    page = admin_client.get(reverse("admin:trades_app_shadowtrade_changelist")).content.decode()

    assert "no ticks" in page
