"""The backtest may prune by ceilings: no score passes them."""

from hypothesis import given
from hypothesis import strategies as st

from signals_app.confluence.ceilings import h4_ceiling, h4_h1_ceiling, unreachable_points
from signals_app.confluence.scoring import (
    h4_h1_votes,
    h4_votes,
    score,
)
from signals_app.market.direction import Direction
from signals_app.smc.structure import Trend
from tests.signals_app.confluence.markets import UNHURRIED, markets
from tests.signals_app.confluence.views import (
    LAST,
    broken,
    bullish_market,
    views,
)


@UNHURRIED
@given(markets, st.sampled_from(Direction))
def test_no_score_passes_its_ceilings(market, direction) -> None:
    h4, h1, m15 = views(market)
    of_h4 = h4_votes(h4, direction)
    of_h4_and_h1 = h4_h1_votes(of_h4, h1)
    reached = score(h4, h1, m15, direction).total

    ceiling = h4_h1_ceiling(of_h4_and_h1, m15.structure.close)
    assert reached <= ceiling - unreachable_points(m15.structure, m15.candles, direction)
    assert ceiling <= h4_ceiling(of_h4)


def test_a_break_against_the_direction_leaves_all_nine_points_out_of_reach() -> None:
    *_, m15 = bullish_market()
    m15.breaks = [broken(1997.0, index=LAST, direction=Trend.DOWN)]
    view = m15.view()

    assert unreachable_points(view.structure, view.candles, Direction.BUY) == 9.0
    assert unreachable_points(view.structure, view.candles, Direction.SELL) == 0.0
