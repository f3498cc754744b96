"""The score: one vote a group, capped, monotone, the same for BUY and SELL."""

from copy import deepcopy

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from signals_app.confluence.scoring import (
    WEIGHTS,
    best_score,
    score,
)
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, PoolKind
from signals_app.smc.measures import Bias
from signals_app.smc.structure import Trend
from signals_app.smc.views import TimeframeView
from tests.signals_app.confluence.markets import (
    UNHURRIED,
    indices,
    markets,
    quarters,
    shares,
    zones,
)
from tests.signals_app.confluence.views import (
    LAST,
    Drawing,
    block,
    broken,
    bullish_market,
    gap,
    mirrored,
    opposite,
    pool,
    sweep,
    views,
)

ZONE_TEXT = (
    "H1 bullish FVG 1,998-2,001, strength 80 with order block 1,996-2,000.5, touched, "
    "score 0.85, price inside"
)


def test_the_votes_of_each_timeframe_add_up_to_40_35_and_25() -> None:
    caps = {
        timeframe: sum(most for (name, _), most in WEIGHTS.items() if name is timeframe)
        for timeframe in (Timeframe.H4, Timeframe.H1, Timeframe.M15)
    }

    assert caps == {Timeframe.H4: 40.0, Timeframe.H1: 35.0, Timeframe.M15: 25.0}


def test_every_vote_tells_a_trader_what_earned_it() -> None:
    found = score(*views(bullish_market()), Direction.BUY)

    assert [(r.timeframe.value, r.group.value, r.points, r.text) for r in found.reasons] == [
        ("H4", "structure", 28.0, "H4 uptrend, strength 60"),
        ("H4", "location", 6.0, "H4 price in discount of its dealing range (0.25)"),
        (
            "H4",
            "liquidity",
            5.53,
            "H4 bullish sweep of SWING 1,985 to 1,984, 2 candles ago, score 0.85",
        ),
        ("H1", "structure", 10.0, "H1 uptrend, strength 60"),
        (
            "H1",
            "liquidity",
            5.53,
            "H1 bullish sweep of SWING 1,991 to 1,990, 2 candles ago, score 0.85",
        ),
        ("H1", "momentum", 4.8, "H1 bullish displacement 4 candles ago, gap strength 80"),
        (
            "H1",
            "location",
            14.0,
            ZONE_TEXT,
        ),
        ("M15", "structure", 8.1, "M15 CHoCH up through 1,999, 4 candles ago"),
        ("M15", "location", 6.72, "M15 bullish FVG 1,999-2,001, strength 80, price inside"),
        (
            "M15",
            "liquidity",
            3.69,
            "M15 bullish sweep of SWING 1,995 to 1,994, 2 candles ago, score 0.85",
        ),
        ("M15", "momentum", 2.88, "M15 bullish displacement 4 candles ago, gap strength 80"),
        ("M15", "context", 2.0, "M15 candle closed in the NY_OVERLAP session"),
    ]
    assert (found.h4, found.h1, found.m15, found.total) == (39.53, 34.33, 23.39, 97.25)


def test_a_market_without_findings_scores_the_session_alone() -> None:
    nothing = (
        Drawing(Timeframe.H4, 8.0),
        Drawing(Timeframe.H1, 4.0),
        Drawing(Timeframe.M15, 2.0),
    )

    found = score(*views(nothing), Direction.SELL)

    assert found.total == 2.0
    assert [reason.text for reason in found.reasons if not reason.points] == [
        "H4 no trend yet",
        "H4 no dealing range",
        "H4 no liquidity swept or left ahead",
        "H1 no trend yet",
        "H1 no liquidity swept or left ahead",
        "H1 no bearish displacement lately",
        "H1 no bearish zone at the price",
        "M15 structure not broken towards SELL",
        "M15 no bearish zone at the price",
        "M15 no liquidity swept or left ahead",
        "M15 no bearish displacement lately",
    ]


def test_ten_findings_of_a_kind_weigh_as_much_as_the_best_of_them() -> None:
    h4, h1, m15 = bullish_market()
    once = score(*views((h4, h1, m15)), Direction.BUY)
    h1.sweeps += [sweep(1990.0 - n, score=0.5, index=196) for n in range(9)]
    m15.gaps += [gap(1999.5, 2000.5, strength=10.0 + n, index=180 + n) for n in range(9)]

    assert score(*views((h4, h1, m15)), Direction.BUY) == once


def test_the_better_direction_is_scored() -> None:
    bullish = bullish_market()
    h4, h1, m15 = (mirrored(drawing) for drawing in bullish)

    assert best_score(views(bullish)).direction is Direction.BUY
    assert best_score(views((h4, h1, m15))).direction is Direction.SELL


def test_a_view_that_travelled_as_json_scores_the_same() -> None:
    there = views(bullish_market())
    h4, h1, m15 = (
        msgspec.json.decode(msgspec.json.encode(view), type=TimeframeView) for view in there
    )

    assert best_score((h4, h1, m15)) == best_score(there)


@UNHURRIED
@given(markets, st.sampled_from(Direction))
def test_no_vote_and_no_timeframe_passes_its_cap(market, direction) -> None:
    found = score(*views(market), direction)

    assert all(0 <= reason.points <= reason.maximum for reason in found.reasons)
    assert 0 <= found.h4 <= 40
    assert 0 <= found.h1 <= 35
    assert 0 <= found.m15 <= 25
    assert found.total == round(found.h4 + found.h1 + found.m15, 2)


@UNHURRIED
@given(markets, st.sampled_from(Direction))
def test_a_market_upside_down_scores_the_same_the_other_way(market, direction) -> None:
    upright = score(*views(market), direction)
    turned = score(*views(tuple(map(mirrored, market))), opposite(direction))

    assert [r.points for r in turned.reasons] == [r.points for r in upright.reasons]


@UNHURRIED
@given(markets, st.sampled_from([0, 1, 2]), st.data())
def test_more_evidence_never_lowers_a_score(market, place, data) -> None:
    more = deepcopy(market)
    drawing = more[place]
    kind = data.draw(st.sampled_from(["gap", "block", "pool", "sweep", "strength", "break"]))
    match kind:
        case "gap":
            found = gap(*data.draw(zones()), strength=data.draw(shares), index=data.draw(indices))
            drawing.gaps.append(found)
        case "block":
            drawing.order_blocks.append(block(*data.draw(zones()), score=data.draw(shares) / 100))
        case "pool":
            side_above = [PoolKind.SWING, PoolKind.PDH, PoolKind.PWH]
            found = pool(data.draw(quarters), kind=data.draw(st.sampled_from(side_above)))
            drawing.pools.append(found)
        case "sweep":
            found = sweep(data.draw(quarters), score=data.draw(shares) / 100, index=LAST)
            drawing.sweeps.append(found)
        case "strength":
            if drawing.trend is Trend.UP:
                drawing.trend_strength = min(drawing.trend_strength + 10, 100.0)
        case "break":
            drawing.breaks.append(broken(data.draw(quarters), index=LAST))

    assert_not_less(more, market)


@UNHURRIED
@given(markets, st.sampled_from([0, 1, 2]), st.data())
def test_better_evidence_never_lowers_a_score(market, place, data) -> None:
    better = deepcopy(market)
    drawing = better[place]
    found = [
        (findings, number)
        for findings in (drawing.gaps, drawing.order_blocks, drawing.pools, drawing.sweeps)
        for number, finding in enumerate(findings)
        # What speaks against the direction may only be made worse.
        if getattr(finding, "direction", Bias.BULLISH) is Bias.BULLISH
    ]
    if found and data.draw(st.booleans()):
        findings, number = data.draw(st.sampled_from(found))
        findings[number] = raised(findings[number], data.draw(shares))
    elif drawing.position is not None:
        # Cheaper, where BUY looks for it.
        drawing.position -= data.draw(st.integers(1, 8)) / 16

    assert_not_less(better, market)


def raised(finding, by: int):
    """The same finding, better by so many hundredths, or touched once more."""
    match finding:
        case FairValueGap():
            return replace(finding, strength=min(finding.strength + by, 100.0))
        case LiquidityPool():
            return replace(finding, touches=finding.touches + 1)
        case _:
            return replace(finding, score=min(finding.score + by / 100, 1.0))


def assert_not_less(more, market) -> None:
    """More for BUY is not less for BUY; upside down, more for SELL is not less for SELL."""
    assert score(*views(more), Direction.BUY).total >= score(*views(market), Direction.BUY).total
    turned, turned_before = (tuple(map(mirrored, each)) for each in (more, market))
    assert (
        score(*views(turned), Direction.SELL).total
        >= score(*views(turned_before), Direction.SELL).total
    )
