"""A take-over in the middle of a millisecond loses no tick of it and doubles none."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.protocol.quote_filter import QuoteFilter
from mt5_bridge.protocol.quotes import Quotes
from mt5_bridge.protocol.wire import Row
from signals_app.gateway.append_plan import Batch, plan_append
from signals_app.gateway.overlap import (
    StoredQuote,
    compare,
    extend,
    read_tail,
    sender_of,
    write_tail,
)
from signals_app.gateway.stream_state import StreamState

NOON = 1_704_456_000_000
FILTER = QuoteFilter()


def row(ms: int, cents: int) -> Row:
    return Row(NOON + ms, 2000 + cents / 100, 2000.3 + cents / 100)


class Stream:
    """A symbol's stream, as connectors write it one after the other."""

    def __init__(self) -> None:
        self.state = StreamState()
        self.found: list[tuple[int, float]] = []

    def send(self, name: str, spool: str, seq: int, rows: Sequence[Row], frame: int) -> None:
        """Send rows in frames of so many; ``seq`` is the first one's."""
        for start in range(0, len(rows), frame):
            batch = Batch(seq + start, rows[start : start + frame])
            plan = plan_append(self.state, name, [batch], None, FILTER, None, spool=spool)
            self.state = plan.state
            self.found += [(tick.time_ms - NOON, tick.bid) for tick in plan.ticks]

    def resume(self, name: str, rows: Sequence[Row]) -> int:
        """Return the place in its ticks from which a connector sends, as `Delivery.resume` says."""
        seq, last_ms = self.state.seq(name), self.state.time_ms
        if seq and rows[seq - 1].time_ms >= last_ms:
            return seq
        return max(seq, sum(each.time_ms < last_ms for each in rows))


def of(rows: Sequence[Row]) -> list[tuple[int, float]]:
    return [(each.time_ms - NOON, each.bid) for each in rows]


def test_what_follows_in_the_last_stored_millisecond_is_not_lost() -> None:
    market = [row(0, 0), row(5, 1), row(5, 2), row(5, 3), row(5, 2), row(9, 4)]
    stream = Stream()
    stream.send("first", "a", 1, market[:3], 10)
    assert stream.resume("second", market) == 1

    stream.send("second", "b", 2, market[1:], 2)

    assert stream.found == of(market)
    assert stream.state.writer == "second"


def test_equal_ticks_count_as_often_as_they_came() -> None:
    market = [row(5, 1), row(5, 1), row(5, 1)]
    stream = Stream()
    stream.send("first", "a", 1, market[:1], 1)

    stream.send("second", "b", 1, market, 1)

    assert stream.found == of(market)


def test_another_order_within_the_millisecond_doubles_nothing() -> None:
    stream = Stream()
    stream.send("first", "a", 1, [row(5, 1), row(5, 2)], 9)

    stream.send("second", "b", 1, [row(5, 3), row(5, 2), row(5, 1), row(6, 1)], 1)

    assert stream.found == of([row(5, 1), row(5, 2), row(5, 3), row(6, 1)])


def test_a_new_spool_under_the_old_name_doubles_nothing_of_the_millisecond() -> None:
    market = [row(4, 1), row(5, 1), row(5, 2), row(6, 1)]
    stream = Stream()
    stream.send("mt5", "old", 1, market[:2], 9)

    stream.send("mt5", "new", 3, market[1:], 9)

    assert stream.found == of(market)


def test_a_connectors_own_repeated_ticks_are_kept() -> None:
    stream = Stream()
    stream.send("mt5", "a", 1, [row(5, 1)], 1)
    stream.send("mt5", "a", 2, [row(5, 1), row(4, 7)], 1)

    assert stream.found == of([row(5, 1), row(5, 1), row(5, 7)])


@given(
    market=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40),
    turns=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 15), st.integers(1, 7)),
        max_size=8,
    ),
)
def test_however_connectors_of_one_market_take_turns_its_ticks_come_once_and_in_order(
    market: list[tuple[int, int]], turns: list[tuple[str, int, int]]
) -> None:
    ms, rows = 0, []
    for step, cents in market:
        ms += step // 2
        rows.append(row(ms, cents))
    stream = Stream()
    for name, count, frame in (*turns, ("a", len(rows) + 1, 5)):
        place = stream.resume(name, rows)
        stream.send(name, f"spool {name}", place + 1, rows[place : place + count], frame)
    last = stream.resume("a", rows)
    stream.send("a", "spool a", last + 1, rows[last:], 3)

    assert stream.found == of(rows)


def test_a_tail_that_is_not_known_lets_in_only_later_ticks() -> None:
    quotes = Quotes.from_rows([row(4, 1), row(5, 1), row(6, 1)])
    found = compare(None, NOON + 5, "b", quotes, is_writer=False)

    assert found.is_new.tolist() == [False, False, True]
    assert extend(None, NOON + 5, "b", quotes.part(1, 2)) is None
    assert extend(None, NOON + 5, "b", quotes.part(2)) == (StoredQuote(2000.01, 2000.31, ("b",)),)


@pytest.mark.parametrize("tail", [None, (), (StoredQuote(1.1, 1.2, ("a", "b/ü")),) * 2])
def test_a_tail_comes_back_from_its_text(tail: tuple[StoredQuote, ...] | None) -> None:
    assert read_tail(write_tail(tail)) == tail


def test_a_sender_is_a_connector_with_its_spool() -> None:
    assert sender_of("mt5", "") == "mt5"
    assert sender_of("mt5", "1f") != sender_of("mt5", "2f")
