"""What each kind of evidence says for one direction, as a share of its points."""

import pytest

from signals_app.confluence.setup import best_zone
from signals_app.confluence.votes import (
    Vote,
    break_vote,
    dealing_range_vote,
    displacement_vote,
    liquidity_vote,
    session_vote,
    trend_vote,
    zone_vote,
)
from signals_app.market.calendar import milliseconds, utc
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.liquidity import PoolKind
from signals_app.smc.measures import Bias
from signals_app.smc.structure import BreakKind, Trend
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    LAST,
    Drawing,
    block,
    broken,
    gap,
    pool,
    sweep,
)

BUY, SELL = Direction.BUY, Direction.SELL


def h1(**found: object) -> Drawing:
    """A window of H1 with an average true range of 4 that closes at 2000."""
    return Drawing(Timeframe.H1, atr=4.0, **found)


def said(vote: Vote) -> tuple[float, str]:
    return pytest.approx(vote.share), vote.text()


def test_a_trend_earns_four_fifths_and_its_strength_the_rest() -> None:
    weak, full = (h1(trend=Trend.UP, trend_strength=n).view() for n in (10.0, 40.0))

    assert said(trend_vote(weak, BUY)) == (0.85, "uptrend, strength 10")
    assert said(trend_vote(full, BUY)) == (1.0, "uptrend, strength 40")
    assert said(trend_vote(full, SELL)) == (0.0, "uptrend, strength 40, against SELL")
    assert said(trend_vote(h1().view(), BUY)) == (0.0, "no trend yet")


def test_the_cheap_half_of_the_dealing_range_earns_all_and_its_far_end_nothing() -> None:
    shares = [
        (dealing_range_vote(view, BUY).share, dealing_range_vote(view, SELL).share)
        for view in (h1(position=place).view() for place in (0.0, 0.5, 0.75, 1.0))
    ]

    # Shares above 1 are cut where the points are counted.
    assert shares == [(2.0, 0.0), (1.0, 1.0), (0.5, 1.5), (0.0, 2.0)]
    assert dealing_range_vote(h1().view(), BUY).text() == "no dealing range"


def test_liquidity_ahead_counts_less_than_liquidity_swept() -> None:
    swing_ahead = h1(pools=[pool(2040.0)])
    week_ahead = h1(pools=[pool(2040.0), pool(2050.0, kind=PoolKind.PWH)])
    equal_highs = h1(pools=[pool(2040.0, touches=2)])
    swept = h1(pools=[pool(2050.0, kind=PoolKind.PWH)], sweeps=[sweep(1991.0, index=LAST)])

    assert said(liquidity_vote(swing_ahead.view(), BUY)) == (
        0.6,
        "liquidity ahead: swing at 2,040",
    )
    assert said(liquidity_vote(week_ahead.view(), BUY)) == (0.8, "liquidity ahead: PWH at 2,050")
    assert said(liquidity_vote(equal_highs.view(), BUY)) == (
        0.8,
        "liquidity ahead: equal highs or lows at 2,040",
    )
    assert said(liquidity_vote(swept.view(), BUY)) == (
        0.97,
        "bullish sweep of SWING 1,991 to 1,990, now, score 0.85",
    )


def test_a_pool_nearer_than_one_average_range_draws_nothing() -> None:
    assert liquidity_vote(h1(pools=[pool(2003.9)]).view(), BUY).share == 0.0
    assert liquidity_vote(h1(pools=[pool(2004.0)]).view(), BUY).share == 0.6


def test_a_zone_counts_half_at_the_end_of_its_reach_and_nothing_beyond() -> None:
    near_the_end = h1(order_blocks=[block(1990.0, 1996.0 + 1e-9)]).view()
    beyond = h1(order_blocks=[block(1990.0, 1996.0)]).view()

    assert zone_vote(best_zone(near_the_end, BUY, 2000.0), BUY).share == pytest.approx(0.97 / 2)
    assert said(zone_vote(best_zone(beyond, BUY, 2000.0), BUY)) == (
        0.0,
        "no bullish zone at the price",
    )


def test_a_zone_is_described_with_its_distance() -> None:
    view = h1(gaps=[gap(1996.0, 1998.0)]).view()

    assert zone_vote(best_zone(view, BUY, 2000.0), BUY).text() == (
        "bullish FVG 1,996-1,998, strength 80, price 2 away"
    )


def test_a_displacement_is_the_strongest_gap_of_the_last_twenty_candles() -> None:
    gaps = [gap(1980.0, 1985.0, strength=90.0, index=LAST - 20), gap(1990.0, 1991.0, index=190)]

    assert said(displacement_vote(h1(gaps=gaps).view(), BUY)) == (
        0.96,
        "bullish displacement 9 candles ago, gap strength 80",
    )
    bearish = gap(2010.0, 2011.0, direction=Bias.BEARISH)
    assert said(displacement_vote(h1(gaps=[bearish]).view(), BUY)) == (
        0.0,
        "no bullish displacement lately",
    )


def test_a_break_falls_to_half_its_points_over_twenty_candles() -> None:
    def vote(*, index: int, trend: Trend = Trend.UP) -> Vote:
        found = broken(1999.0, index=index, kind=BreakKind.CHOCH, direction=trend)
        return break_vote(h1(breaks=[found]).view().structure, 200, BUY)

    assert said(vote(index=LAST)) == (1.0, "CHoCH up through 1,999, now")
    assert said(vote(index=LAST - 1)) == (0.975, "CHoCH up through 1,999, 1 candle ago")
    assert vote(index=LAST - 20).share == vote(index=LAST - 90).share == 0.5
    assert said(vote(index=LAST, trend=Trend.DOWN)) == (0.0, "structure not broken towards BUY")


def test_the_asian_session_earns_half() -> None:
    at_night = milliseconds(utc(CLOSE_MS).replace(hour=3))

    assert session_vote(h1().view()).share == 1.0
    assert said(session_vote(h1(close_time_ms=at_night).view())) == (
        0.5,
        "candle closed in the ASIAN session",
    )
