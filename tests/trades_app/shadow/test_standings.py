"""Strategies in shadow beside the live record of the same time."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from signals_app.market.calendar import utc
from signals_app.models import Strategy
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_trade
from tests.trades_app.shadow.rows import shadow_trade
from trades_app.models import ShadowPosition
from trades_app.shadow.standings import Standing, compare, standing_as_json

pytestmark = pytest.mark.django_db


CLOSE = utc(SIGNAL.timestamp_ms)


def shadow(*, began_at: datetime | None = None, followed: datetime | None = CLOSE) -> Strategy:
    strategy = Strategy.objects.create(name="default", version=2, status=Strategy.Status.SHADOW)
    ShadowPosition.objects.create(
        strategy=strategy,
        instrument="XAUUSD",
        began_at=began_at,
        close_time=followed,
        skipped={"SCORE": 3},
    )
    return strategy


def test_a_shadow_stands_before_the_live_record_of_its_time() -> None:
    lost = stored_trade(SIGNAL, 2039.0)
    stored_trade(numbered(2), 2039.0)
    strategy = shadow()
    shadow_trade(strategy, lost)

    own, live = compare()

    r_multiple = lost.value().r_multiple
    assert r_multiple is not None
    # The second close came after the last one that the shadow has followed.
    assert own == Standing(
        symbol="XAUUSD",
        strategy=strategy,
        since=None,
        trades=1,
        closed=1,
        won=0,
        mean_r=r_multiple.quantize(Decimal("0.01")),
        profit_loss=lost.profit_loss,
        skipped={"SCORE": 3},
    )
    assert live == replace(own, strategy=None, skipped={})


def test_what_was_made_before_a_shadow_began_does_not_count() -> None:
    before = stored_trade(SIGNAL, 2039.0)
    strategy = shadow(began_at=CLOSE, followed=CLOSE + timedelta(milliseconds=1))
    shadow_trade(strategy, before)

    own, live = compare("XAUUSD")

    assert (own.trades, own.mean_r, own.profit_loss) == (0, None, Decimal("0.00"))
    assert (live.trades, live.since) == (0, CLOSE)


def test_one_that_has_not_followed_a_close_and_other_symbols_are_left_out() -> None:
    shadow(followed=None)
    assert compare() == []

    ShadowPosition.objects.update(close_time=CLOSE)
    assert len(compare()) == 2
    assert compare("EURUSD") == []


def test_json_has_plain_values_and_null_for_the_live_record() -> None:
    standing = Standing(
        symbol="XAUUSD",
        strategy=None,
        since=CLOSE,
        trades=2,
        closed=1,
        won=1,
        mean_r=Decimal("1.25"),
        profit_loss=Decimal("-3.50"),
        skipped={},
    )

    assert standing_as_json(standing) == {
        "symbol": "XAUUSD",
        "strategy": None,
        "since": "2024-01-05T14:30:00Z",
        "trades": 2,
        "closed": 1,
        "won": 1,
        "mean_r": 1.25,
        "profit_loss": -3.5,
        "skipped": {},
    }
