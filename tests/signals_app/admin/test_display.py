"""How admin pages show values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from signals_app.admin.display import (
    close_time,
    label,
    moment,
    money,
    shown,
    simulated_badge,
    since,
)

NOW = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)


@pytest.mark.django_db
def test_prices_have_the_instruments_decimals() -> None:
    assert shown("XAUUSD", 2045.5) == "2,045.50"
    assert shown("EURUSD", Decimal("1.09")) == "1.09000"
    assert shown("XAUUSD", None) == "-"


def test_money_has_its_sign_and_a_loss_is_red() -> None:
    assert "text-red-700" in money(Decimal("-1234.5"))
    assert "-1,234.50" in money(Decimal("-1234.5"))
    assert "+0.00" in money(Decimal(0))
    assert money(None) == "-"


def test_times_are_utc_milliseconds_or_datetimes() -> None:
    assert "2024-01-05 14:30:00" in moment(1_704_465_000_000)
    assert ">2024-01-05 14:30<" in close_time(NOW)
    assert moment(None) == moment(0) == "-"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=3), "3 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(seconds=-3), "0 s ago"),
    ],
)
def test_how_long_ago_is_said_in_the_largest_unit(ago: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert since(NOW - ago) == words
    assert since(None) == "never"


def test_labels_escape_their_text_and_made_up_ticks_stand_out() -> None:
    assert "&lt;b&gt;" in label("<b>", "no such colour")
    assert "SIMULATED" in simulated_badge(True)
    assert simulated_badge(False) == ""
