"""What a signal says of its score."""

from signals_app.confluence.description import context, market_structure, setup_type
from signals_app.confluence.scoring import (
    score,
)
from signals_app.market.direction import Direction
from signals_app.smc.structure import BreakKind, Trend
from tests.signals_app.confluence.views import (
    LAST,
    broken,
    bullish_market,
    views,
)


def test_the_setup_is_named_after_sweep_and_zone() -> None:
    h4, h1, m15 = bullish_market()
    with_all = setup_type(score(*views((h4, h1, m15)), Direction.BUY))
    m15.sweeps.clear()
    h1.gaps.clear()
    with_block = setup_type(score(*views((h4, h1, m15)), Direction.BUY))
    h1.order_blocks.clear()
    m15.gaps.clear()
    with_nothing = setup_type(score(*views((h4, h1, m15)), Direction.BUY))

    assert with_all == "LIQUIDITY_SWEEP+FVG+OB"
    assert with_block == "OB"
    assert with_nothing == "STRUCTURE"


def test_market_structure_is_what_the_shortest_timeframe_did_last() -> None:
    h4, h1, m15 = bullish_market()
    turned = market_structure(views((h4, h1, m15)), Direction.BUY)
    m15.breaks.append(broken(1997.0, index=LAST, kind=BreakKind.CHOCH, direction=Trend.DOWN))
    against = market_structure(views((h4, h1, m15)), Direction.BUY)

    assert (turned, against) == ("CHoCH", "BOS")


def test_a_context_is_a_sentence_of_what_was_found() -> None:
    h4, h1, m15 = views(bullish_market())

    reasons = score(h4, h1, m15, Direction.BUY).reasons
    assert context(m15, Direction.BUY, reasons) == (
        "23.39 of 25 points for BUY: CHoCH up through 1,999, 4 candles ago; "
        "bullish FVG 1,999-2,001, strength 80, price inside; "
        "bullish sweep of SWING 1,995 to 1,994, 2 candles ago, score 0.85; "
        "bullish displacement 4 candles ago, gap strength 80; "
        "candle closed in the NY_OVERLAP session."
    )
