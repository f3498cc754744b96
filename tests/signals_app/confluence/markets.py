"""Markets drawn at random, in which every price is exact."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from signals_app.market.candle import Timeframe
from signals_app.smc.liquidity import PoolKind, Side
from signals_app.smc.measures import Bias
from signals_app.smc.structure import BreakKind, Trend
from signals_app.smc.swings import SwingKind
from tests.signals_app.confluence.views import (
    LAST,
    Drawing,
    block,
    broken,
    gap,
    pool,
    sweep,
    swing,
)

#: Drawing three timeframes takes a loaded machine longer than hypothesis thinks healthy.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Quarters are exact in floats, so that a mirror image is exact too.
quarters = st.integers(7900, 8100).map(lambda n: n / 4)
indices = st.integers(100, LAST)
shares = st.integers(0, 100)
biases = st.sampled_from(Bias)


@st.composite
def zones(draw: st.DrawFn) -> tuple[float, float]:
    bottom = draw(quarters)
    return bottom, bottom + draw(st.integers(1, 40)) / 4


@st.composite
def gaps(draw: st.DrawFn):
    return gap(
        *draw(zones()),
        strength=float(draw(shares)),
        index=draw(indices),
        direction=draw(biases),
    )


@st.composite
def order_blocks(draw: st.DrawFn):
    return block(
        *draw(zones()),
        score=draw(shares) / 100,
        index=draw(indices),
        direction=draw(biases),
    )


@st.composite
def pools(draw: st.DrawFn):
    side = draw(st.sampled_from(Side))
    highs, lows = [PoolKind.PDH, PoolKind.PWH], [PoolKind.PDL, PoolKind.PWL]
    kind = draw(st.sampled_from([PoolKind.SWING, *(highs if side is Side.BUY else lows)]))
    return pool(draw(quarters), side=side, kind=kind, touches=draw(st.integers(1, 3)))


@st.composite
def sweeps(draw: st.DrawFn):
    return sweep(
        draw(quarters),
        penetration=draw(st.integers(1, 20)) / 4,
        score=draw(shares) / 100,
        index=draw(st.integers(LAST - 19, LAST)),
        direction=draw(biases),
    )


@st.composite
def breaks(draw: st.DrawFn):
    return broken(
        draw(quarters),
        index=draw(indices),
        kind=draw(st.sampled_from(BreakKind)),
        direction=draw(st.sampled_from([Trend.UP, Trend.DOWN])),
    )


@st.composite
def swings(draw: st.DrawFn):
    return swing(draw(quarters), draw(st.sampled_from(SwingKind)), draw(indices))


@st.composite
def drawings(draw: st.DrawFn, timeframe: Timeframe) -> Drawing:
    return Drawing(
        timeframe,
        atr=draw(st.integers(1, 40)) / 4,
        close=draw(quarters),
        trend=draw(st.sampled_from(Trend)),
        trend_strength=float(draw(shares)),
        position=draw(st.none() | st.integers(-8, 24).map(lambda n: n / 16)),
        breaks=sorted(draw(st.lists(breaks(), max_size=3)), key=lambda b: b.index),
        swings=draw(st.lists(swings(), max_size=4)),
        gaps=draw(st.lists(gaps(), max_size=4)),
        order_blocks=draw(st.lists(order_blocks(), max_size=4)),
        pools=draw(st.lists(pools(), max_size=4)),
        sweeps=draw(st.lists(sweeps(), max_size=4)),
    )


markets = st.tuples(*(drawings(name) for name in (Timeframe.H4, Timeframe.H1, Timeframe.M15)))
