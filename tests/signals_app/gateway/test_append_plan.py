"""Which of a connector's ticks enter the stream."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.protocol.quote_filter import BadTick, QuoteFilter
from mt5_bridge.protocol.wire import Row
from signals_app.gateway.append_plan import AppendPlan, Batch, plan_append
from signals_app.gateway.overlap import StoredQuote
from signals_app.gateway.stream_state import Checkpoint, StreamState, parse_state, state_fields

QUARTER = 900_000
START = 1_704_456_000_000
FILTER = QuoteFilter()
EMPTY = StreamState()


def row(second: int, bid: float = 2000.0) -> Row:
    return Row(START + 1000 * second, bid, bid + 0.3)


def batch(seq: int | None, *seconds: int) -> Batch:
    return Batch(seq, [row(second) for second in seconds])


def planned(
    state: StreamState, *batches: Batch, connector: str = "mt5", watermark_ms: int | None = None
) -> AppendPlan:
    return plan_append(state, connector, batches, watermark_ms, FILTER, None)


def seconds(plan: AppendPlan) -> list[int]:
    return [(time - START) // 1000 for time in plan.ticks.time_ms.tolist()]


def test_the_first_ticks_are_numbered_from_one() -> None:
    plan = planned(EMPTY, batch(1, 0, 1, 2))
    assert [tick.ordinal for tick in plan.ticks] == [1, 2, 3]
    assert plan.seq == 3
    assert plan.state == StreamState(
        ordinal=3,
        time_ms=START + 2000,
        bid=2000.0,
        writer="mt5",
        seqs={"mt5": 3},
        tail=(StoredQuote(2000.0, 2000.3, ("mt5",)),),
    )


def test_runs_that_came_together_are_one_step() -> None:
    plan = planned(EMPTY, batch(1, 0), batch(2, 1, 2), batch(4, 3))
    assert seconds(plan) == [0, 1, 2, 3]
    assert (plan.seq, plan.duplicates, plan.missing) == (4, 0, 0)


def test_known_ticks_are_left_out_be_they_whole_runs_or_parts() -> None:
    before = planned(EMPTY, batch(1, 0, 1, 2)).state
    plan = planned(before, batch(1, 0, 1), batch(3, 2, 3), batch(3, 2, 3, 4))
    assert seconds(plan) == [3, 4]
    assert plan.seq == 5
    assert plan.duplicates == 5


def test_ticks_that_were_never_sent_are_counted() -> None:
    plan = planned(EMPTY, batch(1, 0), batch(5, 4))
    assert (plan.seq, plan.missing) == (5, 3)
    assert seconds(plan) == [0, 4]


def test_ticks_without_a_number_are_always_new() -> None:
    before = planned(EMPTY, batch(1, 0)).state
    plan = planned(before, batch(None, 1), batch(None, 1), batch(2, 2))
    assert seconds(plan) == [1, 1, 2]
    assert plan.seq == 2


def test_refused_ticks_are_dealt_with_and_named_by_their_seq() -> None:
    bad = Batch(
        7, [row(5), Row(START + 6000, -1.0, 1.0), row(7), Row(START + 8000, 5000.0, 5001.0)]
    )
    before = replace(EMPTY, seqs={"mt5": 5})
    plan = planned(before, batch(6, 4), bad)
    assert seconds(plan) == [4, 5, 7]
    assert plan.seq == 10
    assert plan.refusals == {BadTick.NOT_POSITIVE: 1, BadTick.JUMP: 1}
    assert plan.first_refused_seq == 8


def test_the_first_tick_must_fit_into_the_database_too() -> None:
    huge = Batch(1, [Row(START, 2e9, 2e9), Row(-(2**53), 2000.0, 2001.0), row(0)])
    plan = planned(EMPTY, huge)
    assert seconds(plan) == [0]
    assert plan.refusals == {BadTick.INFINITE: 1, BadTick.TOO_OLD: 1}


def test_an_append_of_refused_ticks_alone_moves_only_the_number() -> None:
    before = planned(EMPTY, batch(1, 0)).state
    plan = planned(before, Batch(2, [Row(START, 2000.0, 1999.0)]))
    assert len(plan.ticks) == 0
    assert plan.state == replace(before, seqs={"mt5": 2})


def test_another_connectors_ticks_count_from_the_first_that_is_not_stored() -> None:
    before = planned(EMPTY, batch(1, 0, 1, 5)).state
    plan = planned(before, batch(40, 3, 5, 6, 6, 7), connector="backup")
    assert seconds(plan) == [6, 6, 7]
    assert plan.earlier == 2
    assert plan.state.seqs == {"mt5": 3, "backup": 44}
    assert plan.state.writer == "backup"


def test_another_connector_takes_over_only_with_a_tick_that_is_not_stored() -> None:
    before = planned(EMPTY, batch(1, 5)).state
    plan = planned(before, batch(40, 3, 5), connector="backup")
    tail = (StoredQuote(2000.0, 2000.3, ("mt5", "backup")),)
    assert plan.state == replace(before, seqs={"mt5": 1, "backup": 41}, tail=tail)
    assert plan.earlier == 2


def test_a_tick_that_goes_back_a_little_gets_the_newest_time() -> None:
    plan = planned(EMPTY, batch(1, 10, 8, 12))
    assert seconds(plan) == [10, 10, 12]


def test_a_watermark_counts_where_it_passes_a_quarter_hour_that_no_tick_has_passed() -> None:
    before = planned(EMPTY, batch(1, 0)).state
    assert planned(before, watermark_ms=START + QUARTER - 1).watermark_ms is None
    closing = planned(before, watermark_ms=START + QUARTER)
    assert closing.watermark_ms == START + QUARTER
    again = planned(closing.state, watermark_ms=START + QUARTER + 60_000)
    assert again.watermark_ms is None
    assert planned(closing.state, watermark_ms=START + 2 * QUARTER).watermark_ms is not None


def test_a_decision_may_follow_where_a_candle_ends_and_where_the_market_comes_back() -> None:
    first = planned(EMPTY, batch(1, 0))
    assert first.may_decide
    within = planned(first.state, batch(2, 1, 899))
    assert not within.may_decide
    assert not planned(within.state, batch(3, 899)).may_decide
    assert planned(within.state, batch(4, 900)).may_decide

    closed = planned(within.state, watermark_ms=START + QUARTER)
    assert closed.may_decide
    assert not planned(closed.state, watermark_ms=START + QUARTER).may_decide
    back = planned(closed.state, batch(4, 960))
    assert back.may_decide
    assert not planned(back.state, batch(5, 961)).may_decide


def test_a_watermark_before_the_first_tick_means_nothing() -> None:
    assert planned(EMPTY, watermark_ms=START).watermark_ms is None


def test_a_watermark_stands_behind_the_ticks_it_came_with() -> None:
    plan = planned(EMPTY, batch(1, 0, 901), watermark_ms=START + QUARTER)
    assert plan.watermark_ms is None


def test_a_tick_that_breaks_the_watermarks_word_falls_into_the_next_candle() -> None:
    closed = planned(EMPTY, batch(1, 0), watermark_ms=START + QUARTER).state
    plan = planned(closed, batch(2, 899))
    assert seconds(plan) == [900]


def test_a_checkpoint_of_one_connector_remembers_who_wrote() -> None:
    alone = StreamState.at(Checkpoint(5, START, 2000.0, {"mt5": 5}))
    assert alone == StreamState(5, START, 2000.0, writer="mt5", seqs={"mt5": 5}, tail=None)
    assert seconds(planned(alone, batch(6, 0, 1))) == [0, 1]


def test_a_checkpoint_of_two_connectors_goes_on_where_its_writer_stood() -> None:
    checkpoint = Checkpoint(
        5, START, 2000.0, {"mt5": 5, "backup": 2}, writer="mt5", watermark_ms=START - 1
    )
    several = StreamState.at(checkpoint)
    assert several == StreamState(
        5, START, 2000.0, START - 1, writer="mt5", seqs={"mt5": 5, "backup": 2}, tail=None
    )
    plan = planned(several, batch(6, 0, 0, 1))
    assert (seconds(plan), plan.earlier) == ([0, 0, 1], 0)
    other = planned(several, batch(3, 0, 1), connector="backup")
    assert (seconds(other), other.earlier) == ([1], 1)


def test_a_checkpoint_that_does_not_know_its_writer_takes_only_later_ticks() -> None:
    unknown = StreamState.at(Checkpoint(5, START, 2000.0, {"mt5": 5, "backup": 2}))
    assert seconds(planned(unknown, batch(6, 0, 1))) == [1]


@given(
    cuts=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 12)), max_size=25),
)
def test_however_frames_overlap_each_tick_is_stored_once_and_in_order(
    cuts: list[tuple[int, int]],
) -> None:
    state, found = EMPTY, []
    for first, count in cuts:
        # A connector never sends beyond what it has, nor leaves a hole.
        first = min(first, state.seq("mt5") + 1)
        plan = planned(state, batch(first, *range(first, first + count)))
        assert plan.ticks.first_ordinal == state.ordinal + 1
        found += seconds(plan)
        state = plan.state
    assert found == list(range(1, len(found) + 1))
    assert state.ordinal == len(found)


def test_a_move_that_lasts_is_the_same_however_its_ticks_are_batched() -> None:
    moved = [Row(START + 4000 * place, 5000.0, 5001.0) for place in range(1, 25)]
    before = planned(EMPTY, batch(1, 0)).state
    at_once = planned(before, Batch(2, moved))
    state, stored, refused = before, [], 0
    for place, one in enumerate(moved):
        plan = planned(state, Batch(2 + place, [one]))
        # Redis holds it between the batches.
        state = parse_state(
            [part.encode() for pair in state_fields(plan.state).items() for part in pair]
        )
        stored += plan.ticks.time_ms.tolist()
        refused += plan.refusals.get(BadTick.JUMP, 0)
    assert stored == at_once.ticks.time_ms.tolist()
    assert (len(stored), refused, at_once.refusals) == (5, 19, {BadTick.JUMP: 19})
    assert state.bid == at_once.state.bid == 5000.0
