"""What a decision sees of the trades before it."""

from dataclasses import replace
from decimal import Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure, TradedZone
from signals_app.market.direction import Direction
from tests.trades_app.examples import CLOSE_MS, ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle.exposure import exposure_before, memory_ms
from trades_app.lifecycle.machine import advance, open_trade
from trades_app.lifecycle.trade import Trade, TradeEvent

D = Decimal
DEFAULTS = Parameters()
ZONE = TradedZone(Direction.BUY, D(2046), D(2043))
DAY, HOUR = 86_400_000, 3_600_000


def history(*prices: float, signal=SIGNAL) -> tuple[Trade, tuple[TradeEvent, ...]]:
    """A trade opened at tick 10 and moved by bids from tick 11 on."""
    trade, opened = open_trade(signal, GOLD, ENTRY, DEFAULTS)
    trade, events = advance(trade, GOLD, bids(*prices)) if prices else (trade, ())
    return trade, opened + events


def before(ordinal: int, *histories, time_ms: int = CLOSE_MS + 9000, settled: int = 0) -> Exposure:
    return exposure_before(ordinal, time_ms, histories, GOLD, DEFAULTS, D(settled))


def test_without_trades_there_is_the_starting_balance() -> None:
    assert before(10) == Exposure(balance=D(10000))
    assert before(10, settled=-250) == Exposure(balance=D(9750))


def test_a_trade_is_seen_from_the_tick_after_its_entry_on() -> None:
    assert before(10, history()) == Exposure(balance=D(10000))
    assert before(11, history()) == Exposure(balance=D(10000), open_trades=1, traded_zones=(ZONE,))


def test_what_happens_at_the_tick_or_later_is_not_seen() -> None:
    lost = history(2044.0, 2039.5)

    assert before(12, lost) == before(11, history())
    assert before(13, lost) == Exposure(
        balance=D(9700),
        open_trades=0,
        traded_zones=(ZONE,),
        last_loss_time_ms=CLOSE_MS + 2000,
        profit_today=D(-300),
    )


def test_half_a_trade_closed_is_money_already() -> None:
    assert before(12, history(2055.0)) == Exposure(
        balance=D("10237.50"),
        open_trades=1,
        traded_zones=(ZONE,),
        profit_today=D("237.50"),
    )


def test_a_won_trade_is_no_loss_although_it_ended_at_the_stop() -> None:
    won = before(13, history(2055.0, 2045.5))

    assert (won.last_loss_time_ms, won.profit_today) == (None, D("237.50"))


def test_the_trading_day_ends_at_17_00_new_york() -> None:
    lost = history(2039.5)
    at_22 = CLOSE_MS + 7 * HOUR + HOUR // 2

    assert before(20, lost, time_ms=at_22 - 1).profit_today == D(-300)
    assert before(20, lost, time_ms=at_22).profit_today == D(0)


def test_the_zone_of_a_closed_trade_is_forgotten_after_a_day() -> None:
    lost = history(2039.5)

    assert before(20, lost, time_ms=ENTRY.time_ms + DAY).traded_zones == (ZONE,)
    assert before(20, lost, time_ms=ENTRY.time_ms + DAY + 1).traded_zones == ()


def test_the_last_of_several_losses_counts() -> None:
    first, second = history(2039.5), history(2044.0, 2050.81, signal=SELL_SIGNAL)

    assert before(20, second, first).last_loss_time_ms == CLOSE_MS + 2000


def test_closed_trades_matter_as_long_as_the_longest_memory() -> None:
    assert memory_ms(DEFAULTS) == 25 * HOUR
    assert memory_ms(replace(DEFAULTS, zone_memory_hours=48.0)) == 48 * HOUR
    assert memory_ms(replace(DEFAULTS, cool_down_minutes=6000.0)) == 100 * HOUR
