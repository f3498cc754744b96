"""One close decided: the signal, its mirror image, and what is refused before levels are known."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from signals_app.confluence.decision import Verdict
from signals_app.confluence.protections import Exposure, TradedZone
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick
from tests.signals_app.confluence.deciding import (
    ENTRY,
    GOLD,
    decided,
    levels_of,
    refused,
    signalled,
)
from tests.signals_app.confluence.markets import UNHURRIED, markets, quarters
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    Drawing,
    bullish_market,
    mirrored,
    mirrored_tick,
    opposite,
)


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
@UNHURRIED
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


def reason_of(verdict: Verdict) -> RefusalReason | None:
    return verdict.refusal.reason if verdict.refusal else None


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


def test_an_account_too_small_for_the_smallest_lot_is_refused() -> None:
    assert refused(exposure=Exposure(balance=Decimal(700))) == Refusal(
        RefusalReason.BELOW_MINIMUM_LOT, "1 % of 700.00 is less than 0.01 lots would risk"
    )


def test_a_cross_without_dollars_is_refused() -> None:
    cross = replace(GOLD, symbol="XAUEUR", quote_currency="EUR")

    assert refused(instrument=cross) == Refusal(
        RefusalReason.NO_RATE,
        "XAUEUR is quoted in EUR, and no price of EURUSD is known of the week before the day began",
    )
