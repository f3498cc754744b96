"""The trading figures, from the database alone."""

import math

import pytest

from reports_app.metrics import TradingFigures, trading_figures
from signals_app.models import StreamPosition
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_trade

pytestmark = pytest.mark.django_db


def test_an_instrument_without_trades_has_no_rates_and_zero_counts() -> None:
    figures = trading_figures()["EURUSD"]

    assert math.isnan(figures.pop("win_rate_percentage"))
    assert math.isnan(figures.pop("average_risk_reward"))
    assert set(figures.values()) == {0}


def test_trades_are_counted_and_the_day_is_that_of_the_last_tick() -> None:
    lost = stored_trade(numbered(1), 2039.0)
    won = stored_trade(numbered(1, days=3), 2055.0, 2065.0)
    stored_trade(numbered(2, days=3))
    StreamPosition.objects.create(instrument="XAUUSD", time_ms=CLOSE_MS + 3 * 86_400_000)

    figures = trading_figures()["XAUUSD"]

    assert figures == {
        "signals_generated": 3,
        "trades_opened": 3,
        "trades_closed": 2,
        "win_rate_percentage": 50.0,
        "average_risk_reward": 3.55,
        "active_trades_count": 1,
        "daily_pips_total": float(won.profit_loss_pips),
        "daily_profit_loss": float(won.profit_loss),
    }
    assert lost.profit_loss < 0


def test_collected_figures_are_labelled_by_instrument() -> None:
    stored_trade(numbered(1), 2039.0)

    families = {family.name: family for family in TradingFigures().collect()}

    closed = {
        sample.labels["instrument"]: sample.value for sample in families["trades_closed"].samples
    }
    assert closed["XAUUSD"] == 1
    assert closed["EURUSD"] == 0
    assert families["decisions_refused"].type == "counter"
