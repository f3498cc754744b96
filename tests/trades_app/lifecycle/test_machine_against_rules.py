"""Random ticks, costs, instruments and orders: the machine against slow and obvious rules."""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.market.tick import Tick, Ticks
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from trades_app.lifecycle.machine import advance, on_tick, open_trade, order_close
from trades_app.lifecycle.trade import OPEN_STATUSES, CloseOrder, Trade

GOLD, EURUSD, _, USDCAD = DEFAULT_INSTRUMENTS
NEW_YORK = ZoneInfo("America/New_York")
#: The bid at the entry, and the step that ticks are drawn in: the same path for each instrument.
PRICES = {"XAUUSD": (204_530, 100), "EURUSD": (110_237, 100_000), "USDCAD": (135_971, 100_000)}
SPREAD, STOP, TARGET_1, TARGET_2 = 20, -550, 950, 1950


def exact(number: Decimal | float) -> Fraction:
    return Fraction(str(number))


def to_cents(amount: Fraction) -> Fraction:
    """Round to cents, halves away from zero."""
    cents = math.floor(abs(amount) * 100 + Fraction(1, 2))
    return Fraction(cents if amount >= 0 else -cents, 100)


def nights(opened_ms: int, closed_ms: int) -> int:
    """Ring a bell at each 17:00 in New York, three times on Wednesdays, never at the weekend."""
    opened, closed = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (opened_ms, closed_ms))
    day, bells = opened.date() - timedelta(days=1), 0
    while day <= closed.date():
        bell = datetime.combine(day, time(17), NEW_YORK)
        if opened < bell <= closed:
            bells += (1, 1, 3, 1, 1, 0, 0)[day.weekday()]
        day += timedelta(days=1)
    return bells


@dataclass
class Slow:
    """The rules as a trader would explain them, with none of the code that is tested."""

    side: int
    market: Instrument
    settings: Parameters
    entry: Fraction
    entered_ms: int
    stop: Fraction
    targets: list[Fraction]
    lots: Fraction
    deadline: int
    order: tuple[int, int] | None
    money: Fraction = Fraction(0)
    pips: Fraction = Fraction(0)
    over: str = ""
    story: list[tuple] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size = self.lots
        self.slip = exact(self.settings.slippage_pips) * exact(self.market.pip)
        self.entry += self.side * self.slip
        self.money = to_cents(-exact(self.settings.commission_per_lot) * self.lots)

    def swap(self, time_ms: int) -> Fraction:
        buys = self.side > 0
        of_a_night = (
            self.settings.swap_per_lot_night_buy if buys else self.settings.swap_per_lot_night_sell
        )
        return exact(of_a_night) * nights(self.entered_ms, time_ms)

    def worth(self, price: Fraction) -> Fraction:
        """Dollars of a move by one for one lot."""
        rate = price if self.market.quote_currency == "CAD" else 1
        return Fraction(self.market.contract_size) / rate

    def see(self, number: int, time_ms: int, price: Fraction) -> None:
        if self.over:
            return
        if self.side * price <= self.side * self.stop:
            self.sell("SL_HIT", price, self.lots, number, time_ms)
        while not self.over and self.side * price >= self.side * self.targets[0]:
            if len(self.targets) == 2:
                half = Fraction(math.floor(self.lots * 50), 100)
                self.sell("TP1_HIT", self.targets.pop(0), half, number, time_ms)
                costs = exact(self.settings.commission_per_lot) + max(-self.swap(time_ms), 0)
                away = self.slip + costs / self.worth(self.entry)
                self.stop = self.entry + self.side * Fraction(math.ceil(away * 100_000), 100_000)
            else:
                self.sell("TP2_HIT", self.targets[0], self.lots, number, time_ms)
        last, given_ms = self.order or (math.inf, math.inf)
        if not self.over and number > last and time_ms >= given_ms:
            self.sell("CLOSED_MANUALLY", price, self.lots, number, time_ms)
        if not self.over and time_ms >= self.deadline:
            self.sell("EXPIRED", price, self.lots, number, time_ms)

    def sell(self, why: str, price: Fraction, lots: Fraction, number: int, time_ms: int) -> None:
        if why not in {"TP1_HIT", "TP2_HIT"}:
            price -= self.side * self.slip
        won = self.side * (price - self.entry)
        earned = to_cents((won * self.worth(price) + self.swap(time_ms)) * lots)
        self.money += earned
        self.pips += won * lots / self.size / exact(self.market.pip)
        self.lots -= lots
        self.story.append((why, number, price, lots, earned))
        if why != "TP1_HIT":
            self.over = why


@dataclass(frozen=True)
class Story:
    """A signal, its settings, the ticks that come, and perhaps an order to close."""

    market: Instrument
    signal: TradingSignal
    entry: Tick
    settings: Parameters
    ticks: Ticks
    order: CloseOrder | None
    cuts: list[int]


cents = st.integers(-1500, 1500).map(lambda number: number / 100)


@st.composite
def stories(draw) -> Story:
    market = draw(st.sampled_from((GOLD, EURUSD, USDCAD)))
    direction = draw(st.sampled_from(Direction))
    bid, steps = PRICES[market.symbol]
    entry = Tick(10, CLOSE_MS + 400, bid / steps, (bid + SPREAD) / steps)
    inside = bid + SPREAD if direction is Direction.BUY else bid
    levels = [(inside + away * direction.sign) / steps for away in (0, STOP, TARGET_1, TARGET_2)]
    signal = replace(
        SIGNAL,
        instrument=market.symbol,
        direction=direction,
        entry_price=levels[0],
        stop_loss=levels[1],
        take_profit_1=levels[2],
        take_profit_2=levels[3],
        position_size=Decimal(draw(st.integers(1, 60))) / 100,
    )
    # Seconds, hours or days between two ticks.
    pace_ms = draw(st.sampled_from((60, 120_000, 1_200_000)))
    free = draw(st.booleans())
    # A tenth of a pip is the smallest slippage that is on each one's grid.
    costs = {
        "commission_per_lot": draw(cents.map(abs)),
        "slippage_pips": draw(st.integers(0, 30)) / 10,
        "swap_per_lot_night_buy": draw(cents),
        "swap_per_lot_night_sell": draw(cents),
    }
    hours = draw(st.floats(0.001, 0.01) if pace_ms == 60 else st.floats(1, 500))
    parameters = replace(Parameters(), maximum_trade_hours=hours, **({} if free else costs))
    path = draw(
        st.lists(
            st.tuples(st.integers(-1030, 2270), st.integers(0, 60), st.integers(0, 400)),
            min_size=1,
            max_size=60,
        )
    )
    passed = np.cumsum([step for _, _, step in path]) * pace_ms
    prices = [bid + away * direction.sign for away, _, _ in path]
    ticks = Ticks(
        11,
        entry.time_ms + passed,
        np.array(prices) / steps,
        np.array([price + spread for price, (_, spread, _) in zip(prices, path, strict=True)])
        / steps,
    )
    ordered = st.builds(
        CloseOrder,
        st.integers(9, 75),
        st.integers(0, int(passed[-1])).map(lambda later: entry.time_ms + later),
    )
    cuts = draw(st.lists(st.integers(0, 60), max_size=4))
    order = draw(st.none() | ordered)
    return Story(market, signal, entry, parameters, ticks, order, cuts)


def opened(story: Story) -> Trade:
    trade, _ = open_trade(story.signal, story.market, story.entry, story.settings)
    return trade if story.order is None else order_close(trade, story.order)


@given(stories())
@settings(max_examples=300)
def test_any_story_ends_as_the_slow_and_obvious_rules_say(story: Story) -> None:
    trade, market, buys = opened(story), story.market, story.signal.direction is Direction.BUY
    slow = Slow(
        side=story.signal.direction.sign,
        market=market,
        settings=story.settings,
        entry=exact(story.signal.entry_price),
        entered_ms=story.entry.time_ms,
        stop=exact(story.signal.stop_loss),
        targets=[exact(story.signal.take_profit_1), exact(story.signal.take_profit_2)],
        lots=exact(story.signal.position_size),
        deadline=story.entry.time_ms + round(story.settings.maximum_trade_hours * 3_600_000),
        order=story.order and (story.order.after_ordinal, story.order.from_ms),
    )
    for tick in story.ticks:
        slow.see(tick.ordinal, tick.time_ms, exact(tick.bid if buys else tick.ask))

    whole, events = advance(trade, market, story.ticks)

    fills = [
        (e.kind.value, e.ordinal, exact(e.price), exact(e.lots), exact(e.profit))
        for e in events
        if e.price is not None
    ]
    assert fills == slow.story
    assert exact(whole.profit_loss) == slow.money
    assert exact(whole.profit_loss_pips) == to_cents(slow.pips)
    assert exact(whole.remaining_lots) == slow.lots
    assert exact(whole.stop_loss) == slow.stop
    assert (whole.exit_reason.value if whole.exit_reason else "") == slow.over
    assert (whole.status in OPEN_STATUSES) == (not slow.over)
    assert sum((e.profit for e in events), trade.profit_loss) == whole.profit_loss


@given(stories())
def test_it_does_not_matter_how_the_ticks_are_cut(story: Story) -> None:
    trade, market = opened(story), story.market
    whole = advance(trade, market, story.ticks)

    pieces, piecewise = trade, ()
    ends = sorted({min(cut, len(story.ticks)) for cut in story.cuts} | {0, len(story.ticks)})
    for start, stop in pairwise(ends):
        pieces, more = advance(pieces, market, story.ticks.part(start, stop))
        piecewise += more
    single, one_by_one = trade, ()
    for tick in story.ticks:
        single, more = on_tick(single, market, tick)
        one_by_one += more

    assert (pieces, piecewise) == whole
    assert (single, one_by_one) == whole
