"""What of a connector's quotes enters the record."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.protocol.quote_filter import BadTick, QuoteFilter
from mt5_bridge.protocol.wire import Row
from signals_app.gateway.append_plan import Mark, Position, Run, Step, step

QUARTER = 900_000
START = 1_704_456_000_000
FILTER = QuoteFilter()
EMPTY = Position()


def row(second: int, bid: float = 2000.0) -> Row:
    return Row(START + 1000 * second, bid, bid + 0.3)


def run(seq: int | None, *seconds: int) -> Run:
    return Run(seq, [row(second) for second in seconds])


def stepped(
    position: Position, *runs: Run, connector: str = "mt5", watermark_ms: int | None = None
) -> Step:
    return step(position, connector, runs, watermark_ms, FILTER, None)


def seconds(made: Step) -> list[int]:
    return [(time - START) // 1000 for time in made.ticks.time_ms.tolist()]


def test_the_first_ticks_are_numbered_from_one() -> None:
    made = stepped(EMPTY, run(1, 0, 1, 2))
    assert [tick.ordinal for tick in made.ticks] == [1, 2, 3]
    assert made.seq == 3
    assert made.position == Position(
        ordinal=3, time_ms=START + 2000, bid=2000.0, writer="mt5", seqs={"mt5": 3}
    )


def test_runs_that_came_together_are_one_step() -> None:
    made = stepped(EMPTY, run(1, 0), run(2, 1, 2), run(4, 3))
    assert seconds(made) == [0, 1, 2, 3]
    assert (made.seq, made.known, made.missing) == (4, 0, 0)


def test_known_ticks_are_left_out_be_they_whole_runs_or_parts() -> None:
    before = stepped(EMPTY, run(1, 0, 1, 2)).position
    made = stepped(before, run(1, 0, 1), run(3, 2, 3), run(3, 2, 3, 4))
    assert seconds(made) == [3, 4]
    assert made.seq == 5
    assert made.known == 5


def test_ticks_that_were_never_sent_are_counted() -> None:
    made = stepped(EMPTY, run(1, 0), run(5, 4))
    assert (made.seq, made.missing) == (5, 3)
    assert seconds(made) == [0, 4]


def test_ticks_without_a_number_are_always_new() -> None:
    before = stepped(EMPTY, run(1, 0)).position
    made = stepped(before, run(None, 1), run(None, 1), run(2, 2))
    assert seconds(made) == [1, 1, 2]
    assert made.seq == 2


def test_refused_ticks_are_dealt_with_and_told_by_their_number() -> None:
    bad = Run(7, [row(5), Row(START + 6000, -1.0, 1.0), row(7), Row(START + 8000, 5000.0, 5001.0)])
    before = replace(EMPTY, seqs={"mt5": 5})
    made = stepped(before, run(6, 4), bad)
    assert seconds(made) == [4, 5, 7]
    assert made.seq == 10
    assert made.refusals == {BadTick.NOT_POSITIVE: 1, BadTick.JUMP: 1}
    assert made.first_refused_seq == 8


def test_the_first_tick_must_fit_into_the_database_too() -> None:
    huge = Run(1, [Row(START, 2e5, 2e5), Row(-(2**53), 2000.0, 2001.0), row(0)])
    made = stepped(EMPTY, huge)
    assert seconds(made) == [0]
    assert made.refusals == {BadTick.INFINITE: 1, BadTick.TOO_OLD: 1}


def test_a_step_of_refused_ticks_alone_moves_only_the_number() -> None:
    before = stepped(EMPTY, run(1, 0)).position
    made = stepped(before, Run(2, [Row(START, 2000.0, 1999.0)]))
    assert len(made.ticks) == 0
    assert made.position == replace(before, seqs={"mt5": 2})


def test_another_connectors_ticks_count_from_the_first_later_one() -> None:
    before = stepped(EMPTY, run(1, 0, 1, 5)).position
    made = stepped(before, run(40, 3, 5, 6, 6, 7), connector="backup")
    assert seconds(made) == [6, 6, 7]
    assert made.earlier == 2
    assert made.position.seqs == {"mt5": 3, "backup": 44}
    assert made.position.writer == "backup"


def test_another_connector_takes_over_only_with_a_later_tick() -> None:
    before = stepped(EMPTY, run(1, 5)).position
    made = stepped(before, run(40, 3, 5), connector="backup")
    assert made.position == replace(before, seqs={"mt5": 1, "backup": 41})
    assert made.earlier == 2


def test_a_tick_that_goes_back_a_little_gets_the_newest_time() -> None:
    made = stepped(EMPTY, run(1, 10, 8, 12))
    assert seconds(made) == [10, 10, 12]


def test_a_watermark_counts_where_it_passes_a_quarter_hour_that_no_tick_has_passed() -> None:
    before = stepped(EMPTY, run(1, 0)).position
    assert stepped(before, watermark_ms=START + QUARTER - 1).watermark_ms is None
    closing = stepped(before, watermark_ms=START + QUARTER)
    assert closing.watermark_ms == START + QUARTER
    again = stepped(closing.position, watermark_ms=START + QUARTER + 60_000)
    assert again.watermark_ms is None
    assert stepped(closing.position, watermark_ms=START + 2 * QUARTER).watermark_ms is not None


def test_a_decision_may_follow_where_a_candle_ends_and_where_the_market_comes_back() -> None:
    first = stepped(EMPTY, run(1, 0))
    assert first.decides
    within = stepped(first.position, run(2, 1, 899))
    assert not within.decides
    assert not stepped(within.position, run(3, 899)).decides
    assert stepped(within.position, run(4, 900)).decides

    closed = stepped(within.position, watermark_ms=START + QUARTER)
    assert closed.decides
    assert not stepped(closed.position, watermark_ms=START + QUARTER).decides
    back = stepped(closed.position, run(4, 960))
    assert back.decides
    assert not stepped(back.position, run(5, 961)).decides


def test_a_watermark_before_the_first_tick_means_nothing() -> None:
    assert stepped(EMPTY, watermark_ms=START).watermark_ms is None


def test_a_watermark_stands_behind_the_ticks_it_came_with() -> None:
    made = stepped(EMPTY, run(1, 0, 901), watermark_ms=START + QUARTER)
    assert made.watermark_ms is None


def test_a_tick_that_breaks_the_watermarks_word_falls_into_the_next_candle() -> None:
    closed = stepped(EMPTY, run(1, 0), watermark_ms=START + QUARTER).position
    made = stepped(closed, run(2, 899))
    assert seconds(made) == [900]


def test_a_mark_of_one_connector_remembers_who_wrote() -> None:
    alone = Position.at(Mark(5, START, 2000.0, {"mt5": 5}))
    assert alone == Position(5, START, 2000.0, writer="mt5", seqs={"mt5": 5})
    assert seconds(stepped(alone, run(6, 0, 1))) == [0, 1]


def test_a_mark_of_two_connectors_goes_on_where_its_writer_stood() -> None:
    mark = Mark(5, START, 2000.0, {"mt5": 5, "backup": 2}, writer="mt5", watermark_ms=START - 1)
    several = Position.at(mark)
    assert several == Position(
        5, START, 2000.0, START - 1, writer="mt5", seqs={"mt5": 5, "backup": 2}
    )
    made = stepped(several, run(6, 0, 0, 1))
    assert (seconds(made), made.earlier) == ([0, 0, 1], 0)
    other = stepped(several, run(3, 0, 1), connector="backup")
    assert (seconds(other), other.earlier) == ([1], 1)


def test_a_mark_that_does_not_know_its_writer_takes_only_later_ticks() -> None:
    unknown = Position.at(Mark(5, START, 2000.0, {"mt5": 5, "backup": 2}))
    assert seconds(stepped(unknown, run(6, 0, 1))) == [1]


@given(
    cuts=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 12)), max_size=25),
)
def test_however_frames_overlap_each_tick_is_stored_once_and_in_order(
    cuts: list[tuple[int, int]],
) -> None:
    position, found = EMPTY, []
    for first, count in cuts:
        # A connector never sends beyond what it has, nor leaves a hole.
        first = min(first, position.seq("mt5") + 1)
        made = stepped(position, run(first, *range(first, first + count)))
        assert made.ticks.first_ordinal == position.ordinal + 1
        found += seconds(made)
        position = made.position
    assert found == list(range(1, len(found) + 1))
    assert position.ordinal == len(found)
