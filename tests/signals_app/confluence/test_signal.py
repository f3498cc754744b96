"""Signals that can be taken, and every reason not to make one."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import (
    Decision,
    Exposure,
    Refusal,
    RefusalReason,
    TradedZone,
    TradingSignal,
    decide,
    signal_as_json,
)
from signals_app.market.calendar import milliseconds
from signals_app.market.calendar import utc as moment
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.market.tick import Tick
from signals_app.smc.structure import Trend
from signals_app.smc.swings import SwingKind
from tests.signals_app.confluence.markets import markets, quarters
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    Drawing,
    bullish_market,
    mirrored,
    mirrored_tick,
    opposite,
    pool,
    swing,
    views,
)

GOLD, EURUSD = DEFAULT_INSTRUMENTS[:2]
ENTRY = Tick(77, CLOSE_MS + 250, 2000.0, 2000.3)
EXPOSURE = Exposure(balance=Decimal(10000))
MINUTE, HOUR = 60_000, 3_600_000


def decided(
    market: tuple[Drawing, Drawing, Drawing] | None = None,
    *,
    entry: Tick = ENTRY,
    exposure: Exposure = EXPOSURE,
    number: int = 1,
    instrument: Instrument = GOLD,
    **settings: float,
) -> Decision:
    return decide(
        instrument,
        views(market or bullish_market()),
        entry,
        exposure,
        replace(Parameters(), **settings),
        number,
    )


def refused(*args, **kwargs) -> Refusal:
    decision = decided(*args, **kwargs)
    assert decision.signal is None
    assert decision.refusal is not None
    return decision.refusal


def signalled(*args, **kwargs) -> TradingSignal:
    decision = decided(*args, **kwargs)
    assert decision.refusal is None
    assert decision.signal is not None
    return decision.signal


def test_a_signal_enters_at_the_ask_stops_behind_the_sweep_and_aims_before_pools() -> None:
    signal = signalled()

    # The sweep went to 1994; half an ATR of 2 and the spread of 0.3 further is the stop.
    # 2010 and 2020 are pools; a twentieth of the ATR and the spread before them are the targets.
    assert signal == TradingSignal(
        signal_id="XAU_20240105_001",
        instrument="XAUUSD",
        direction=Direction.BUY,
        entry_price=2000.3,
        stop_loss=1992.7,
        take_profit_1=2009.6,
        take_profit_2=2019.6,
        risk_reward_ratio=2.54,
        position_size=Decimal("0.13"),
        risk_percentage=1.0,
        setup_type="LIQUIDITY_SWEEP+FVG+OB",
        market_structure="CHoCH",
        confluence_factors=signal.confluence_factors,
        confidence_score=97.25,
        h4_context=signal.h4_context,
        h1_context=signal.h1_context,
        m15_context=signal.m15_context,
        timestamp_ms=CLOSE_MS,
        session="NY_OVERLAP",
        zone_top=2001.0,
        zone_bottom=1996.0,
        entry_ordinal=77,
        entry_time_ms=CLOSE_MS + 250,
    )
    assert len(signal.confluence_factors) == 12
    assert signal.h4_context.startswith("39.53 of 40 points for BUY: uptrend, strength 60; ")


def test_the_mirrored_market_gives_the_mirrored_signal() -> None:
    buy = signalled()
    sell = signalled(tuple(map(mirrored, bullish_market())), entry=mirrored_tick(ENTRY))

    assert sell.direction is Direction.SELL
    assert (sell.entry_price, sell.stop_loss) == (-buy.entry_price, -buy.stop_loss)
    assert (sell.take_profit_1, sell.take_profit_2) == (-buy.take_profit_1, -buy.take_profit_2)
    assert (sell.zone_top, sell.zone_bottom) == (-buy.zone_bottom, -buy.zone_top)
    assert (sell.position_size, sell.risk_reward_ratio, sell.confidence_score) == (
        buy.position_size,
        buy.risk_reward_ratio,
        buy.confidence_score,
    )
    assert sell.setup_type == buy.setup_type


@given(markets, quarters, st.integers(1, 4).map(lambda n: n / 4))
@settings(deadline=None)
def test_every_market_upside_down_is_decided_the_same_the_other_way(
    market: tuple[Drawing, Drawing, Drawing], bid: float, spread: float
) -> None:
    entry = Tick(77, CLOSE_MS + 250, bid, bid + spread)
    exposure = Exposure(
        Decimal(10000), traded_zones=(TradedZone(Direction.BUY, Decimal(1985), Decimal(1980)),)
    )
    turned_exposure = replace(
        exposure, traded_zones=(TradedZone(Direction.SELL, Decimal(-1980), Decimal(-1985)),)
    )
    rules = {"threshold": 0.0, "maximum_risk_atr": 100.0, "minimum_risk_spreads": 1.0}

    upright = decided(market, entry=entry, exposure=exposure, **rules)
    turned = decided(
        tuple(map(mirrored, market)),
        entry=mirrored_tick(entry),
        exposure=turned_exposure,
        **rules,
    )

    assert reason_of(turned) == reason_of(upright)
    one, other = upright.signal, turned.signal
    if one is not None and other is not None:
        assert other.direction is opposite(one.direction)
        assert levels_of(other) == tuple(-level for level in levels_of(one))
        assert (other.zone_top, other.zone_bottom) == (-one.zone_bottom, -one.zone_top)
        assert other.position_size == one.position_size
        assert other.risk_reward_ratio == one.risk_reward_ratio
        assert other.setup_type == one.setup_type


def reason_of(decision: Decision) -> RefusalReason | None:
    return decision.refusal.reason if decision.refusal else None


def levels_of(signal: TradingSignal) -> tuple[float, ...]:
    return signal.entry_price, signal.stop_loss, signal.take_profit_1, signal.take_profit_2


def test_json_has_every_field_with_prices_as_numbers_and_times_as_text() -> None:
    signal = signalled()
    printed = signal_as_json(signal)

    names = {field.name for field in fields(signal)} - {"timestamp_ms", "entry_time_ms"}
    assert set(printed) == names | {"timestamp", "entry_time"}
    assert printed["timestamp"] == "2024-01-05T14:30:00Z"
    assert printed["entry_time"] == "2024-01-05T14:30:00.250Z"
    assert printed["direction"] == "BUY"
    assert printed["position_size"] == 0.13
    assert printed["confluence_factors"] == list(signal.confluence_factors)


def test_the_running_number_of_the_day_is_in_the_id() -> None:
    assert signalled(number=12).signal_id == "XAU_20240105_012"


def test_targets_stand_at_multiples_of_the_risk_where_no_pool_does() -> None:
    market = bullish_market()
    market[2].pools.clear()

    signal = signalled(market)

    # The risk is 7.60: 1 R and 2.5 R away.
    assert (signal.take_profit_1, signal.take_profit_2) == (2007.9, 2019.3)


def test_a_pool_beyond_the_furthest_target_is_none() -> None:
    market = bullish_market()
    market[2].pools = [pool(2040.0)]

    assert signalled(market).take_profit_2 == 2019.3
    assert signalled(market, maximum_risk_reward=6.0).take_profit_2 == 2039.6


def test_pools_of_every_timeframe_are_targets() -> None:
    market = bullish_market()
    market[2].pools.clear()
    market[1].pools.append(pool(2012.0))
    market[0].pools.append(pool(2025.0))

    signal = signalled(market)

    assert (signal.take_profit_1, signal.take_profit_2) == (2011.6, 2024.6)


def test_a_sweep_too_far_behind_the_zone_does_not_move_the_stop() -> None:
    market = bullish_market()
    market[2].sweeps = [replace_sweep(market, price=1993.0)]

    # Its extreme at 1992 is an H1 ATR of 4 below the zone: the zone's bottom of 1996 decides.
    assert signalled(market).stop_loss == 1994.7


def test_the_stop_keeps_a_distance_that_noise_does_not_reach() -> None:
    market = bullish_market()
    market[2].sweeps.clear()

    # 1996 - 1 - 0.3 would be 5.6 away.
    assert signalled(market).stop_loss == 1994.7
    assert signalled(market, minimum_risk_atr=3.5).stop_loss == 1993.3


def test_without_zone_and_sweep_the_last_swing_carries_the_stop() -> None:
    market = bullish_market()
    for drawing in market[1:]:
        drawing.gaps, drawing.order_blocks, drawing.sweeps = [], [], []
    market[2].swings = [swing(1990.0, SwingKind.LOW), swing(1997.0, SwingKind.LOW, 185)]

    signal = signalled(market, threshold=60.0)

    assert (signal.setup_type, signal.stop_loss) == ("STRUCTURE", 1995.7)
    assert (signal.zone_top, signal.zone_bottom) == (2000.3, 1997.0)


def test_without_any_structure_behind_the_entry_there_is_no_stop() -> None:
    market = bullish_market()
    for drawing in market[1:]:
        drawing.gaps, drawing.order_blocks, drawing.sweeps = [], [], []

    assert refused(market, threshold=60.0).reason is RefusalReason.NO_STRUCTURE
    jumped = Tick(77, CLOSE_MS, 1993.0, 1993.3)
    assert refused(entry=jumped).reason is RefusalReason.NO_STRUCTURE


def test_orders_stand_on_the_digits_that_a_broker_takes() -> None:
    signal = signalled(entry=Tick(77, CLOSE_MS, 2000.0, 2000.303))

    # Rounded away from the entry, so that no limit in R is missed by it.
    assert (signal.entry_price, signal.stop_loss) == (2000.303, 1992.69)
    assert (signal.take_profit_1, signal.take_profit_2) == (2009.6, 2019.6)


@given(
    st.integers(105_000, 115_000),
    st.integers(1, 40),
    st.floats(0.0004, 0.004),
    st.sampled_from([2.0, 2.5, 3.0]),
    st.sampled_from([EURUSD, replace(EURUSD, digits=3), replace(EURUSD, digits=4)]),
    st.booleans(),
)
@settings(deadline=None)
def test_no_rounding_breaks_a_limit_set_in_multiples_of_the_risk(
    point: int, spread_points: int, atr: float, ratio: float, instrument: Instrument, is_buy: bool
) -> None:
    bid = point / 100_000
    entry = Tick(77, CLOSE_MS + 250, bid, (point + spread_points) / 100_000)
    # No zone, no sweep, no pool: swings on both sides, and the trend says which counts.
    market = tuple(
        Drawing(
            timeframe,
            atr=atr * size,
            close=bid,
            trend=Trend.UP if is_buy else Trend.DOWN,
            trend_strength=60.0,
            swings=[swing(bid - atr, SwingKind.LOW), swing(bid + atr, SwingKind.HIGH)],
        )
        for timeframe, size in ((Timeframe.H4, 4), (Timeframe.H1, 2), (Timeframe.M15, 1))
    )

    signal = signalled(
        market,
        entry=entry,
        instrument=instrument,
        threshold=0.0,
        maximum_risk_atr=100.0,
        minimum_risk_spreads=0.0,
        maximum_spread_pips=100.0,
        minimum_risk_reward=ratio,
        take_profit_2_r=ratio,
    )

    risk = abs(signal.entry_price - signal.stop_loss)
    assert abs(signal.take_profit_1 - signal.entry_price) >= risk - 1e-8
    assert abs(signal.take_profit_2 - signal.entry_price) >= ratio * risk - 1e-8
    for level in levels_of(signal)[1:]:
        assert level == round(level, instrument.digits)


def test_five_digits_are_rounded_away_from_the_entry_as_two_are() -> None:
    entry = Tick(77, CLOSE_MS + 250, 1.1, 1.1002)
    market = (
        Drawing(Timeframe.H4, atr=0.006, trend=Trend.UP, trend_strength=60.0),
        Drawing(Timeframe.H1, atr=0.003, trend=Trend.UP, trend_strength=60.0),
        Drawing(Timeframe.M15, atr=0.001, swings=[swing(1.099307, SwingKind.LOW)]),
    )

    signal = signalled(market, entry=entry, instrument=EURUSD, threshold=0.0)

    # The risk would be 159.3 points and is 160; targets stand at 1 and 2.5 times that.
    assert signal.stop_loss == 1.0986
    assert (signal.take_profit_1, signal.take_profit_2) == (1.1018, 1.1042)


def test_too_few_candles_decide_nothing() -> None:
    market = bullish_market()
    market[0].candles = 49

    assert refused(market) == Refusal(RefusalReason.WARMING_UP, "49 candles of H4, 50 are needed")


def test_a_score_below_the_threshold_is_no_signal() -> None:
    assert refused(threshold=97.26) == Refusal(
        RefusalReason.BELOW_THRESHOLD, "BUY scores 97.25 of 97.26"
    )
    assert signalled(threshold=97.25).confidence_score == 97.25


def test_two_equal_scores_say_nothing() -> None:
    market = tuple(Drawing(d.timeframe, d.atr, position=0.5) for d in bullish_market())

    assert refused(market, threshold=5.0) == Refusal(
        RefusalReason.CONFLICTING, "BUY and SELL both score 8.00"
    )


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


def test_a_risk_of_few_spreads_is_refused() -> None:
    assert refused(minimum_risk_spreads=26.0) == Refusal(
        RefusalReason.RISK_BELOW_SPREADS, "the risk of 76 pips is 25.3 spreads"
    )


def test_a_stop_too_far_away_is_refused() -> None:
    assert refused(maximum_risk_atr=1.5) == Refusal(
        RefusalReason.RISK_TOO_LARGE,
        "the risk of 76 pips is above 1.5 H1 average true ranges",
    )


def test_an_account_too_small_for_the_smallest_lot_is_refused() -> None:
    assert refused(exposure=Exposure(balance=Decimal(700))) == Refusal(
        RefusalReason.BELOW_MINIMUM_LOT, "1 % of 700.00 is less than 0.01 lots would risk"
    )


def test_a_cross_without_dollars_is_refused() -> None:
    cross = replace(GOLD, symbol="XAUEUR", quote_currency="EUR")

    assert refused(instrument=cross) == Refusal(
        RefusalReason.NO_RATE, "XAUEUR is quoted in EUR: there is no rate to USD"
    )


@pytest.mark.parametrize("ratio", [2.0, 2.5, 3.0])
def test_reward_is_at_least_the_wanted_multiple_of_the_risk(ratio: float) -> None:
    market = bullish_market()
    market[2].pools.clear()

    signal = signalled(market, minimum_risk_reward=ratio, take_profit_2_r=ratio)

    assert signal.risk_reward_ratio >= ratio


def test_the_first_target_is_never_beyond_the_second() -> None:
    signal = signalled(take_profit_1_r=4.0)

    assert signal.take_profit_1 == signal.take_profit_2


def replace_sweep(market: tuple[Drawing, Drawing, Drawing], *, price: float):
    return structs.replace(market[2].sweeps[0], price=price)
