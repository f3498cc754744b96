"""The links of version 0.1.0 are computed again, sign for sign."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.direction import Direction
from tests.trades_app.examples import CLOSE_MS, GOLD, SIGNAL
from trades_app.lifecycle.hash_chain import Entry, event_entries, event_link
from trades_app.lifecycle.signed_zeros import entries_once, signed_fields, signed_times
from trades_app.lifecycle.trade import EventKind, TradeEvent, TradeStatus

D = Decimal
CENT = D("0.01")


def once(direction: Direction, entry: Decimal, left: Decimal, lots: Decimal) -> list[Decimal]:
    """Return pips and profit of a fill as version 0.1.0 computed them."""
    distance = (left - entry) * direction.sign
    pips = (distance / D("0.1")).quantize(CENT, ROUND_HALF_UP)
    earned = distance * lots * GOLD.contract_size + D(0) * lots * 0
    return [pips, earned.quantize(CENT, ROUND_HALF_UP)]


def fill(
    price: Decimal, pips: Decimal, profit: Decimal, lots: Decimal, kind: EventKind, time_ms: int
) -> TradeEvent:
    return TradeEvent(
        kind,
        TradeStatus.MONITORING,
        TradeStatus.EXPIRED,
        time_ms,
        11,
        price,
        lots,
        profit,
        pips,
        price,
    )


@given(
    st.sampled_from(list(Direction)),
    st.one_of(st.integers(-700, 700), st.just(0)),
    st.sampled_from([D("0.01"), D("0.50")]),
)
def test_signs_are_those_that_its_arithmetic_gave(
    direction: Direction, step: int, lots: Decimal
) -> None:
    entry = D("2045.50000")
    left = entry + D(step).scaleb(-5)
    pips, profit = once(direction, entry, left, lots)
    event = fill(left, pips, profit, lots, EventKind.EXPIRED, CLOSE_MS)

    signed = signed_fields(direction, entry, event)

    assert ("pips" in signed) == (not pips and pips.is_signed())
    assert ("profit" in signed) == (not profit and profit.is_signed())


def test_only_events_up_to_the_new_version_are_signed() -> None:
    entry = D("2045.50000")
    events = [
        fill(entry, D("0.00"), D("0.00"), D("0.50"), EventKind.OPENED, CLOSE_MS),
        fill(entry, D("0.00"), D("0.00"), D("0.50"), EventKind.EXPIRED, CLOSE_MS + 5),
    ]
    signal = Entry(CLOSE_MS, 10, SIGNAL.signal_id, 0, "")
    opened = event_link("", SIGNAL.signal_id, 1, events[0])

    assert signed_times([(Direction.SELL, events)]) == [CLOSE_MS + 5]
    assert signed_times([(Direction.BUY, events)]) == []
    once_made = list(entries_once(signal, Direction.SELL, events, CLOSE_MS + 5))
    assert [entry.link for entry in once_made] == [
        opened,
        event_link(opened, SIGNAL.signal_id, 2, events[1], ["pips"]),
    ]
    assert list(entries_once(signal, Direction.SELL, events, CLOSE_MS)) == list(
        event_entries(signal, events)
    )
