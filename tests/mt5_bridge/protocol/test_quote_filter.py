import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mt5_bridge.protocol.quote_filter import WITHOUT_JUMPS, BadTick, LastGood, QuoteFilter
from mt5_bridge.protocol.quotes import Quotes

FILTER = QuoteFilter()
NOON = 1_704_456_000_000


def reasons(quotes, last):
    checked = FILTER.check(quotes, last)
    return [(refusal.place, refusal.reason) for refusal in checked.refusals]


def test_good_quotes_pass_on_the_five_decimal_grid():
    checked = FILTER.check(
        Quotes.of([(NOON, 2045.123456, 2045.7), (NOON, 2045.2, 2045.7)]), LastGood()
    )
    assert checked.quotes == Quotes.of([(NOON, 2045.12346, 2045.7), (NOON, 2045.2, 2045.7)])
    assert checked.refusals == ()
    assert checked.last == LastGood(NOON, 2045.2)


def test_each_rule_refuses_its_quote_and_the_others_pass():
    quotes = Quotes.of(
        [
            (NOON, 2045.0, 2045.5),
            (NOON + 1, math.nan, 2045.5),
            (NOON + 2, 2045.0, math.inf),
            (NOON + 3, 0.0, 2045.5),
            (NOON + 4, -1.0, 2045.5),
            (NOON + 5, 2045.6, 2045.5),
            (NOON + 60_001, 2045.0, 2045.5),
            (NOON - 60_001, 2045.0, 2045.5),
            (NOON + 8, 1635.9, 1636.0),
            (NOON + 9, 2045.0, 2455.0),
            (NOON + 10, 1636.0, 1636.1),
        ]
    )
    checked = FILTER.check(quotes, LastGood(), now_ms=NOON)
    assert [(refusal.place, refusal.reason) for refusal in checked.refusals] == [
        (1, BadTick.NOT_A_NUMBER),
        (2, BadTick.INFINITE),
        (3, BadTick.NOT_POSITIVE),
        (4, BadTick.NOT_POSITIVE),
        (5, BadTick.CROSSED),
        (6, BadTick.IN_THE_FUTURE),
        (7, BadTick.TOO_OLD),
        (8, BadTick.JUMP),
        (9, BadTick.JUMP),
    ]
    assert checked.reasons[BadTick.NOT_POSITIVE] == 2
    assert checked.quotes == Quotes.of([(NOON, 2045.0, 2045.5), (NOON + 10, 1636.0, 1636.1)])
    assert checked.last == LastGood(NOON + 10, 1636.0)


def test_quotes_up_to_a_minute_back_take_the_time_of_the_newest():
    quotes = Quotes.of([(NOON, 10.0, 11.0), (NOON - 60_000, 10.1, 11.0), (NOON + 5, 10.2, 11.0)])
    checked = FILTER.check(quotes, LastGood())
    assert checked.quotes.time_ms.tolist() == [NOON, NOON, NOON + 5]


def test_a_refused_quote_is_no_measure_for_the_next_one():
    wild = [(NOON, 100.0, 100.1), (NOON + 900_000, 130.0, 130.1), (NOON + 1, 101.0, 101.1)]
    assert reasons(Quotes.of(wild), LastGood()) == [(1, BadTick.JUMP)]


def test_the_last_good_quote_is_handed_in_and_out():
    first = FILTER.check(Quotes.of([(NOON, 100.0, 100.1)]), LastGood())
    assert reasons(Quotes.of([(NOON - 60_001, 100.0, 100.1)]), first.last) == [(0, BadTick.TOO_OLD)]
    assert reasons(Quotes.of([(NOON, 120.001, 120.1)]), first.last) == [(0, BadTick.JUMP)]
    assert reasons(Quotes.of([(NOON, 120.0, 120.0)]), first.last) == []


def test_no_quotes_leave_the_state_as_it_was():
    last = LastGood(NOON, 100.0)
    assert FILTER.check(Quotes.empty(), last).last == last


PRICES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 80.0, 95.0, 100.0, 100.000001, 119.9, 120.0, 144.0, 1e305]),
    st.floats(99.0, 101.0),
)
STEPS = st.one_of(st.integers(-61_000, 61_000), st.just(0), st.integers(-(2**53), 2**53))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(STEPS, PRICES, PRICES), max_size=25),
    st.sampled_from([LastGood(), LastGood(NOON, 100.0)]),
    st.sampled_from([None, NOON]),
)
def test_columns_at_once_and_one_by_one_agree(steps, last, now_ms):
    quotes = Quotes.of([(NOON + step, bid, ask) for step, bid, ask in steps])
    fast, slow = FILTER.check(quotes, last, now_ms), FILTER.check_one_by_one(quotes, last, now_ms)
    assert fast.quotes == slow.quotes
    assert fast.accepted.tolist() == slow.accepted.tolist()
    assert (fast.refusals, fast.last) == (slow.refusals, slow.last)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-500, 2000), st.floats(99.0, 101.0)), max_size=30),
    st.integers(0, 30),
)
def test_a_run_may_be_checked_in_pieces(steps, cut):
    moments = np.cumsum([step for step, _ in steps]).tolist()
    rows = [(NOON + at, bid, bid + 0.3) for at, (_, bid) in zip(moments, steps, strict=True)]
    whole = FILTER.check(Quotes.of(rows), LastGood())
    head = FILTER.check(Quotes.of(rows[:cut]), LastGood())
    tail = FILTER.check(Quotes.of(rows[cut:]), head.last)
    assert Quotes.join([head.quotes, tail.quotes]) == whole.quotes
    assert tail.last == whole.last


MINUTE = 60_000
GOOD = LastGood(NOON, 100.0)


def far(count, every=4000, bid=200.0, begin=NOON + 1000):
    """Quotes at another price, one each ``every`` milliseconds."""
    return [(begin + place * every, bid + place % 3, bid + 5) for place in range(count)]


def test_a_move_that_lasts_becomes_the_measure():
    checked = FILTER.check(Quotes.of(far(25)), GOOD)
    assert [refusal.place for refusal in checked.refusals] == list(range(19))
    assert checked.last == LastGood(NOON + 1000 + 24 * 4000, 200.0)


def test_many_refusals_within_a_minute_are_no_move_that_lasts():
    assert len(reasons(Quotes.of(far(59, every=1000)), GOOD)) == 59
    assert len(reasons(Quotes.of(far(70, every=1000)), GOOD)) == 60


def test_a_good_quote_between_begins_the_count_anew():
    quotes = [*far(19), (NOON + 80_000, 101.0, 101.1), *far(19, begin=NOON + 90_000)]
    assert len(reasons(Quotes.of(quotes), GOOD)) == 38


def test_refusals_that_disagree_are_no_move():
    quotes = [(NOON + place * 9000, 200.0 * (1 + place % 2), 420.0) for place in range(60)]
    assert len(reasons(Quotes.of(quotes), GOOD)) == 60


def test_after_a_long_silence_any_price_is_the_measure():
    week = 7 * 86_400_000
    assert reasons(Quotes.of([(NOON + week - 1, 200.0, 201.0)]), GOOD) == [(0, BadTick.JUMP)]
    assert reasons(Quotes.of([(NOON + week, 200.0, 201.0)]), GOOD) == []
    # That nothing came is known by a watermark, too, and makes the silence no shorter.
    known = LastGood(NOON, 100.0, watermark_ms=NOON + week)
    assert reasons(Quotes.of([(NOON + week, 200.0, 201.0)]), known) == []


def test_a_watermark_bounds_times_as_a_quote_does():
    last = LastGood(NOON, 100.0, watermark_ms=NOON + MINUTE)
    checked = FILTER.check(Quotes.of([(NOON + 1000, 100.0, 101.0)]), last)
    assert checked.quotes.time_ms.tolist() == [NOON + MINUTE]
    assert reasons(Quotes.of([(NOON - 1, 100.0, 101.0)]), last) == [(0, BadTick.TOO_OLD)]


LEVELS = st.sampled_from([100.0, 101.0, 200.0, 205.0, 400.0])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9000), LEVELS, st.integers(1, 25)), max_size=6),
    st.lists(st.integers(0, 120), max_size=4),
)
def test_where_a_move_lasts_does_not_depend_on_the_pieces(runs, cuts):
    rows, time_ms = [], NOON
    for every, bid, count in runs:
        for _ in range(count):
            time_ms += every
            rows.append((time_ms, bid, bid + 0.5))
    whole = FILTER.check(Quotes.of(rows), GOOD)
    slow = FILTER.check_one_by_one(Quotes.of(rows), GOOD)
    assert (slow.quotes, slow.last) == (whole.quotes, whole.last)
    last, kept, begin = GOOD, [], 0
    for end in [*sorted(min(cut, len(rows)) for cut in cuts), len(rows)]:
        piece = FILTER.check(Quotes.of(rows[begin:end]), last)
        last, begin = piece.last, end
        kept.append(piece.quotes)
    assert (Quotes.join(kept), last) == (whole.quotes, whole.last)


def test_a_connector_passes_jumps_on_and_nothing_else_that_is_bad():
    quotes = [(NOON, 100.0, 101.0), (NOON, 900.0, 901.0), (NOON, 0.0, 1.0), (NOON, 3.0, 2.0)]
    refused = WITHOUT_JUMPS.check(Quotes.of(quotes), LastGood()).refusals
    assert [refusal.reason for refusal in refused] == [BadTick.NOT_POSITIVE, BadTick.CROSSED]
