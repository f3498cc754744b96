"""The trade book that the pipeline finds behind its door."""

from typing import Any
from unittest.mock import patch

import pytest

from signals_app.confluence.parameters import Parameters
from signals_app.market.tick import Tick
from signals_app.models import Strategy, StreamPosition
from signals_app.pipeline.ports import trade_book
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL, bids
from tests.trades_app.rows import stored_trade
from tests.trades_app.shadow.rows import shadow_trade
from trades_app import tasks
from trades_app.book import LiveBook
from trades_app.models import ShadowTrade, Trade

pytestmark = pytest.mark.django_db


@pytest.fixture
def shadow() -> Strategy:
    return Strategy.objects.create(name="default", version=2, status=Strategy.Status.SHADOW)


def test_it_is_the_one_that_is_registered() -> None:
    assert isinstance(trade_book(), LiveBook)


def test_ticks_move_live_trades_and_those_in_shadow(shadow: Strategy) -> None:
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=10, time_ms=CLOSE_MS + 400)
    live = stored_trade()
    shadow_trade(shadow, live)

    LiveBook().move("XAUUSD", bids(2039.0))

    assert Trade.objects.get().status == "TRADE_CLOSED"
    beside = ShadowTrade.objects.get()
    assert (beside.is_open, beside.failure) == (False, "")
    assert beside.profit_loss == Trade.objects.get().profit_loss


def test_the_account_before_a_tick_counts_the_trades_that_were_open_then() -> None:
    stored_trade()
    later = Tick(30, CLOSE_MS + 900_000, 2048.0, 2048.2)
    before_entry = Tick(10, SIGNAL.entry_time_ms, 2045.3, 2045.5)

    book = LiveBook()

    assert book.exposure_before(GOLD, Parameters(), later).open_trades == 1
    assert book.exposure_before(GOLD, Parameters(), before_entry).open_trades == 0


def test_without_shadows_the_stream_need_keep_no_used_tick() -> None:
    assert list(LiveBook().needed_ordinals("XAUUSD")) == []


def test_a_signal_starts_the_opening_of_its_trade() -> None:
    with patch.object(tasks.open_trade, "delay") as started:
        LiveBook().on_signal(SIGNAL.signal_id)

    started.assert_called_once_with(SIGNAL.signal_id)


def test_decided_closes_start_shadows_only_where_there_are_any(shadow: Strategy) -> None:
    calls: list[Any] = []
    with patch.object(tasks.follow_in_shadow, "apply_async", lambda *args, **_: calls.append(args)):
        LiveBook().on_decisions("XAUUSD")
        shadow.status = Strategy.Status.RETIRED
        shadow.save()
        LiveBook().on_decisions("XAUUSD")

    assert calls == [(("XAUUSD",),)]
