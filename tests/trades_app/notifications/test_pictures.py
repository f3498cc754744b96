"""The picture of a signal, from what is stored of its close and of the life of its trade."""

from dataclasses import replace

import msgspec
import pytest
from pytest_django.fixtures import Settings

from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import utc
from signals_app.market.candle import Timeframe
from signals_app.models import Analysis, PriceCandle
from signals_app.smc.analysis import view
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SIGNAL, bids
from tests.trades_app.notifications.charts.test_signal_chart import M15, candles
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import Trade
from trades_app.notifications import pictures
from trades_app.notifications.content.signals import SignalAnnouncement

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced() -> SignalAnnouncement:
    """The example, its close's candles and what was found in them stored."""
    window = candles(200)
    store(Timeframe.M15, window)
    found = msgspec.to_builtins(view(window, Timeframe.M15))
    Analysis.objects.create(
        instrument="XAUUSD",
        timeframe="M15",
        close_time_ms=CLOSE_MS,
        candles=200,
        view={name: found[name] for name in ("structure", "gaps", "order_blocks", "liquidity")},
        completed_at=utc(CLOSE_MS),
    )
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    return SignalAnnouncement(SIGNAL, trade, GOLD)


def store(timeframe: Timeframe, window) -> None:
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", timeframe, window, PriceCandle.Source.TICKS)
    )


def ended(trade: Trade, *, after_ms: int) -> Trade:
    ticks = bids(2055.1, 2065.1)
    moved = replace(ticks, time_ms=ticks.time_ms + after_ms)
    return machine.advance(trade, GOLD, moved)[0]


def test_it_shows_the_candles_of_the_close_and_what_was_known_then(announced) -> None:
    chart = pictures.chart_of(announced)

    assert chart is not None
    assert chart.candles.time_ms[-1] == CLOSE_MS - M15
    assert len(chart.candles) == 56
    assert chart.lines or chart.zones
    assert all(line.to_ms < CLOSE_MS for line in chart.lines)
    assert all(zone.from_ms < CLOSE_MS for zone in chart.zones)


def test_candles_that_came_later_are_not_in_it(announced) -> None:
    before = pictures.draw(announced)
    later = candles(20)
    store(Timeframe.M15, replace(later, time_ms=later.time_ms + 20 * M15))

    assert pictures.draw(announced) == before


@pytest.mark.parametrize(
    ("hours", "timeframe"), [(3, Timeframe.M15), (60, Timeframe.H1), (400, Timeframe.H4)]
)
def test_an_ended_trade_is_shown_whole(announced, hours: int, timeframe: Timeframe) -> None:
    trade = ended(announced.trade, after_ms=hours * 3_600_000)
    for each in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        count = hours * 3_600_000 // each.milliseconds + 4
        walk = candles(count)
        first = each.opening(CLOSE_MS) + each.milliseconds
        times = first + each.milliseconds * (walk.time_ms - walk.time_ms[0]) // M15
        store(each, replace(walk, time_ms=times))

    chart = pictures.chart_of(announced, trade)

    assert chart is not None
    assert chart.timeframe is timeframe
    assert len(chart.candles) <= 140
    assert chart.candles.time_ms[0] <= CLOSE_MS + each.milliseconds
    assert chart.candles.time_ms[-1] + timeframe.milliseconds >= trade.exit_time_ms


def test_without_stored_candles_there_is_no_picture() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    assert pictures.draw(SignalAnnouncement(SIGNAL, trade, GOLD)) is None


def test_a_setting_leaves_it_out_or_makes_it_dark(announced, settings: Settings) -> None:
    light = pictures.draw(announced)
    settings.TELEGRAM_PICTURES = "dark"
    dark = pictures.draw(announced)
    settings.TELEGRAM_PICTURES = "none"

    assert light is not None
    assert dark not in {None, light}
    assert pictures.draw(announced) is None


def test_a_picture_that_cannot_be_drawn_holds_up_no_message(announced, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr(pictures.signal_chart, "draw", fail)

    assert pictures.draw(announced) is None
