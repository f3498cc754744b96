"""The zone at the price, the sweep that led there, and what lies ahead."""

import pytest

from signals_app.confluence.setup import (
    best_sweep,
    best_zone,
    latest_break,
    opposing_pools,
    sweep_extreme,
)
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.liquidity import Side
from signals_app.smc.measures import Bias
from signals_app.smc.structure import Trend
from tests.signals_app.confluence.views import LAST, Drawing, block, broken, gap, pool, sweep

BUY, SELL = Direction.BUY, Direction.SELL


def h1(**found: object) -> Drawing:
    """A window of H1 with an average true range of 4 that closes at 2000."""
    return Drawing(Timeframe.H1, atr=4.0, **found)


def test_price_in_the_zone_is_no_distance_from_it() -> None:
    zone = best_zone(h1(order_blocks=[block(1996.0, 2000.5)]).view(), BUY, 2000.0)

    assert zone is not None
    assert (zone.top, zone.bottom, zone.distance, zone.kinds) == (2000.5, 1996.0, 0.0, ("OB",))
    assert zone.quality == pytest.approx(0.97)


def test_a_zone_that_price_has_left_behind_is_none() -> None:
    gone_through = h1(order_blocks=[block(2000.5, 2002.0)], gaps=[gap(2001.0, 2003.0)])

    assert best_zone(gone_through.view(), BUY, 2000.0) is None


def test_a_gap_over_an_order_block_is_one_better_zone() -> None:
    view = h1(order_blocks=[block(1990.0, 1998.0)], gaps=[gap(1998.0, 1999.0)]).view()

    zone = best_zone(view, BUY, 2000.0)

    assert zone is not None
    assert (zone.top, zone.bottom, zone.distance) == (1999.0, 1990.0, 1.0)
    assert zone.kinds == ("FVG", "OB")
    # The gap is 1 of 4 away, the block 2 of 4: the better of them, and half of the other.
    assert zone.quality == pytest.approx(min(0.96 * 0.875 + 0.97 * 0.75 / 2, 1.0))


def test_of_equal_zones_the_nearer_then_the_younger_is_taken() -> None:
    gaps = [gap(1990.0, 2000.0, index=180), gap(1991.0, 2001.0, index=190)]

    zone = best_zone(h1(gaps=gaps).view(), BUY, 2000.0)

    assert zone is not None
    assert zone.gap == gaps[1]


def test_a_bearish_zone_is_above_the_price() -> None:
    above = block(2001.0, 2003.0, direction=Bias.BEARISH)
    view = h1(order_blocks=[above]).view()

    zone = best_zone(view, SELL, 2000.0)

    assert zone is not None
    assert (zone.order_block, zone.distance) == (above, 1.0)
    assert best_zone(view, BUY, 2000.0) is None


def test_a_sweep_loses_half_its_worth_with_age_and_then_all() -> None:
    fresh, old = sweep(1995.0, index=LAST), sweep(1990.0, score=1.0, index=LAST - 19)
    view = h1(sweeps=[old, fresh]).view()

    assert best_sweep(view, BUY, 20) == (fresh, pytest.approx(0.97))
    assert best_sweep(h1(sweeps=[old]).view(), BUY, 20) == (old, pytest.approx(1 - 0.5 * 19 / 20))
    assert best_sweep(h1(sweeps=[old]).view(), BUY, 19) is None
    assert best_sweep(view, SELL, 20) is None


def test_a_sweeps_extreme_is_beyond_the_level_that_it_took() -> None:
    assert sweep_extreme(sweep(1995.0, penetration=1.5)) == 1993.5
    assert sweep_extreme(sweep(2005.0, penetration=1.5, direction=Bias.BEARISH)) == 2006.5


def test_only_the_last_break_counts() -> None:
    up, down = broken(1990.0, index=150), broken(1985.0, index=160, direction=Trend.DOWN)
    structure = h1(breaks=[up, down]).view().structure

    assert latest_break(structure, SELL) == down
    assert latest_break(structure, BUY) is None
    assert latest_break(h1().view().structure, BUY) is None


def test_a_buyer_runs_towards_buy_side_liquidity() -> None:
    above, below = pool(2010.0), pool(1990.0, side=Side.SELL)
    view = h1(pools=[above, below]).view()

    assert opposing_pools(view, BUY) == [above]
    assert opposing_pools(view, SELL) == [below]
