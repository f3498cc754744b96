"""The backtest may prune by ceilings: no score passes them."""

from hypothesis import given
from hypothesis import strategies as st

from signals_app.confluence.ceilings import ceiling, lost_to_the_session
from signals_app.confluence.scoring import score
from signals_app.market.direction import Direction
from tests.signals_app.confluence.markets import UNHURRIED, markets
from tests.signals_app.confluence.views import bullish_market, views


@UNHURRIED
@given(markets, st.sampled_from(Direction))
def test_no_score_passes_its_ceiling_and_none_is_far_below(market, direction) -> None:
    h4, h1, m15 = views(market)
    reached = score(h4, h1, m15, direction).total

    most = ceiling((h4, h1, m15), direction) - lost_to_the_session(m15.close_time_ms)
    # Twelve votes are rounded to the hundredth, each by half of one at most.
    assert reached <= most <= reached + 0.13


def test_a_market_with_everything_for_buy_leaves_it_nearly_all_points() -> None:
    seen = views(bullish_market())

    assert ceiling(seen, Direction.BUY) > 90
    assert ceiling(seen, Direction.SELL) < 30


def test_a_night_in_asia_costs_one_point() -> None:
    noon, midnight = 1_704_715_200_000, 1_704_672_000_000

    assert lost_to_the_session(noon) == 0.0
    assert lost_to_the_session(midnight) == 1.0
