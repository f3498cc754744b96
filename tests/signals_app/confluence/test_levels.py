"""Entry, stop and targets: where they stand and when a risk is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick
from signals_app.smc.structure import Trend
from signals_app.smc.swings import SwingKind
from tests.signals_app.confluence.deciding import (
    EURUSD,
    levels_of,
    refused,
    signalled,
)
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    Drawing,
    bullish_market,
    pool,
    swing,
)


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


def test_a_risk_of_few_spreads_is_refused() -> None:
    assert refused(minimum_risk_spreads=26.0) == Refusal(
        RefusalReason.RISK_BELOW_SPREADS, "the risk of 76 pips is 25.3 spreads"
    )


def test_a_stop_too_far_away_is_refused() -> None:
    assert refused(maximum_risk_atr=1.5) == Refusal(
        RefusalReason.RISK_TOO_LARGE,
        "the risk of 76 pips is above 1.5 H1 average true ranges",
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
