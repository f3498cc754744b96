"""When the account is protected from a trade, and the moment from which it is not."""

from dataclasses import replace
from decimal import Decimal

from signals_app.confluence.protections import Exposure, TradedZone
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.market.calendar import milliseconds
from signals_app.market.calendar import utc as moment
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick
from tests.signals_app.confluence.deciding import (
    ENTRY,
    EXPOSURE,
    refused,
    signalled,
)
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    Drawing,
    bullish_market,
)

MINUTE, HOUR = 60_000, 3_600_000


def test_an_entry_more_than_15_minutes_late_is_refused() -> None:
    assert signalled(entry=replace(ENTRY, time_ms=CLOSE_MS + 15 * MINUTE))
    assert refused(entry=replace(ENTRY, time_ms=CLOSE_MS + 15 * MINUTE + 1)) == Refusal(
        RefusalReason.ENTRY_TOO_LATE, "market closed: the first tick came 15 minutes later"
    )


def on_friday_at(hour: int, minute: int) -> tuple[tuple[Drawing, Drawing, Drawing], Tick]:
    """The market and a tick at that UTC time of the Friday; the week closes at 22:00."""
    time_ms = milliseconds(moment(CLOSE_MS).replace(hour=hour, minute=minute))
    market = bullish_market()
    for drawing in market:
        drawing.close_time_ms = time_ms
    return market, replace(ENTRY, time_ms=time_ms)


def test_the_last_hour_before_the_weekly_close_is_left_alone() -> None:
    market, entry = on_friday_at(20, 59)
    assert signalled(market, entry=entry)

    market, entry = on_friday_at(21, 0)
    assert refused(market, entry=entry) == Refusal(
        RefusalReason.NEAR_WEEKLY_CLOSE, "the week closes in 60 minutes"
    )


def test_a_closed_market_is_refused() -> None:
    market, entry = on_friday_at(22, 0)

    assert refused(market, entry=entry).reason is RefusalReason.MARKET_CLOSED


def test_a_spread_above_the_maximum_is_refused() -> None:
    wide = replace(ENTRY, ask=2001.1)

    assert refused(entry=wide) == Refusal(
        RefusalReason.SPREAD_TOO_WIDE, "the spread is 11 pips, above 10"
    )


def test_at_most_five_trades_are_open() -> None:
    assert signalled(exposure=replace(EXPOSURE, open_trades=4))
    assert refused(exposure=replace(EXPOSURE, open_trades=5)) == Refusal(
        RefusalReason.TOO_MANY_TRADES, "5 trades are open"
    )


def test_after_a_loss_there_is_a_pause() -> None:
    hour_ago = ENTRY.time_ms - HOUR

    assert signalled(exposure=replace(EXPOSURE, last_loss_time_ms=hour_ago))
    assert refused(exposure=replace(EXPOSURE, last_loss_time_ms=hour_ago + 1)) == Refusal(
        RefusalReason.COOLING_DOWN, "the last loss is 60 minutes old"
    )


def test_a_day_ends_at_its_loss_limit() -> None:
    # The day began with 10,000, of which 3 % are the limit.
    at_limit = Exposure(balance=Decimal(9700), profit_today=Decimal(-300))
    above = Exposure(balance=Decimal("9700.01"), profit_today=Decimal("-299.99"))

    assert signalled(exposure=above)
    assert refused(exposure=at_limit) == Refusal(
        RefusalReason.DAILY_LOSS, "today lost 300.00, the limit is 300.00"
    )


def test_a_zone_is_traded_once() -> None:
    touching = TradedZone(Direction.BUY, Decimal(1996), Decimal(1990))
    below = TradedZone(Direction.BUY, Decimal("1995.99"), Decimal(1990))
    other_way = TradedZone(Direction.SELL, Decimal(2002), Decimal(1990))

    assert signalled(exposure=replace(EXPOSURE, traded_zones=(below, other_way)))
    assert refused(exposure=replace(EXPOSURE, traded_zones=(below, touching))) == Refusal(
        RefusalReason.ZONE_TRADED, "BUY from 1,990-1,996 was taken already"
    )
