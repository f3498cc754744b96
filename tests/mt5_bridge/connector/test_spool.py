import os
import signal
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt5_bridge.connector.spool import Spool, SpoolFullError
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.connector.spool_tables import BATCH_BYTES, SpooledBatch, SpoolState
from mt5_bridge.protocol.quote_filter import LastGood
from mt5_bridge.protocol.quotes import Quotes
from tests.paths import ROOT

HOUR = 3_600_000


def quotes(first_ms, count, step_ms=1):
    return Quotes.of([(first_ms + place * step_ms, 10.0, 11.0) for place in range(count)])


def times(spool, after=0, up_to=10**9):
    return [
        (batch.first_seq + place, time_ms)
        for batch in spool.read("XAUUSD", after, up_to)
        for place, time_ms in enumerate(batch.quotes.time_ms.tolist())
    ]


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path)
    opened.begin("XAUUSD", 0)
    yield opened
    opened.close()


def test_ticks_are_numbered_and_come_back_in_order(spool):
    assert spool.append("XAUUSD", quotes(100, 3), "a") == 3
    assert spool.append("XAUUSD", quotes(200, 2), "b") == 5
    assert times(spool) == [(1, 100), (2, 101), (3, 102), (4, 200), (5, 201)]
    assert times(spool, after=1, up_to=3) == [(2, 101), (3, 102)]
    assert spool.state("XAUUSD") == SpoolState(5, 0, LastGood(201, 10.0), "b")


def test_long_runs_of_ticks_are_cut_to_the_size_of_a_frame(spool):
    spool.append("XAUUSD", quotes(0, 2500), "a")
    assert [(batch.first_seq, batch.last_seq) for batch in spool.read("XAUUSD", 0, 2500)] == [
        (1, 1000),
        (1001, 2000),
        (2001, 2500),
    ]


def test_it_all_is_there_after_opening_again(tmp_path):
    first = Spool(tmp_path)
    first.begin("XAUUSD", 100)
    first.append("XAUUSD", Quotes.of([(1, 10.0, 11.0, 10.5, 3.0)]), "mark")
    first.acknowledge("XAUUSD", 101)
    first.close()
    second = Spool(tmp_path)
    assert second.state("XAUUSD") == SpoolState(101, 101, LastGood(1, 10.0), "mark")
    (batch,) = second.read("XAUUSD", 100, 101)
    assert batch.quotes == Quotes.of([(1, 10.0, 11.0, 10.5, 3.0)])
    second.close()


def test_places_are_found_by_time_and_number(spool):
    spool.append("XAUUSD", Quotes.of([(10, 1, 2), (20, 1, 2), (20, 1, 2), (30, 1, 2)]), "a")
    spool.append("XAUUSD", Quotes.of([(40, 1, 2)]), "b")
    assert [spool.seq_at("XAUUSD", at) for at in (5, 10, 20, 25, 39, 40, 99)] == [
        0, 1, 3, 3, 4, 5, 5,
    ]  # fmt: skip
    assert [spool.time_at("XAUUSD", seq) for seq in (0, 1, 3, 5, 6)] == [None, 10, 20, 40, None]
    assert (spool.first_seq("XAUUSD"), spool.last_seq("XAUUSD")) == (1, 5)
    assert spool.last_seq("EURUSD") is None


def test_acknowledged_ticks_stay_for_an_hour_and_the_last_batch_longer(spool):
    for part in range(3):
        spool.append("XAUUSD", quotes(100 * part, 2), "a")
    spool.acknowledge("XAUUSD", 4)
    spool.maintain(1000)
    spool.maintain(1000 + HOUR)
    assert spool.first_seq("XAUUSD") == 1
    spool.maintain(1001 + HOUR)
    assert times(spool) == [(3, 100), (4, 101), (5, 200), (6, 201)]
    assert spool.size.total == 4 * 24 + 2 * (1 + BATCH_BYTES)


def test_what_the_server_forgot_is_not_deleted(spool):
    spool.append("XAUUSD", quotes(0, 2), "a")
    spool.append("XAUUSD", quotes(100, 2), "a")
    spool.acknowledge("XAUUSD", 4)
    spool.maintain(1000)
    spool.acknowledge("XAUUSD", 1)
    spool.maintain(2000)
    spool.maintain(2000 + 2 * HOUR)
    assert len(times(spool)) == 4


def test_a_full_spool_gives_up_the_oldest_acknowledged_ticks_first(tmp_path):
    spool = Spool(tmp_path, maximum_bytes=5 * (241 + BATCH_BYTES) + 150)
    spool.begin("XAUUSD", 0)
    for part in range(5):
        spool.append("XAUUSD", quotes(100 * part, 10), "a")
    spool.acknowledge("XAUUSD", 30)
    spool.append("XAUUSD", quotes(900, 20), "b")
    assert spool.first_seq("XAUUSD") == 21
    assert spool.state("XAUUSD").dropped == 0
    spool.close()


def test_a_spool_full_of_unacknowledged_ticks_counts_what_it_drops(tmp_path):
    spool = Spool(tmp_path, maximum_bytes=300 + BATCH_BYTES)
    spool.begin("XAUUSD", 0)
    spool.append("XAUUSD", quotes(0, 10), "a")
    assert spool.has_room
    for _ in range(2):
        with pytest.raises(SpoolFullError, match="10 ticks were dropped"):
            spool.append("XAUUSD", quotes(100, 10), "b")
    spool.close()
    again = Spool(tmp_path, maximum_bytes=300 + BATCH_BYTES)
    assert again.state("XAUUSD") == SpoolState(10, 0, LastGood(9, 10.0), "a", dropped=20)
    again.close()


def test_what_found_no_room_without_being_tried_is_counted_too(tmp_path):
    spool = Spool(tmp_path)
    spool.begin("XAUUSD", 0)
    spool.drop("XAUUSD", 7)
    spool.maintain(0)
    spool.close()
    again = Spool(tmp_path)
    assert again.state("XAUUSD").dropped == 7
    again.close()


def test_the_size_is_what_the_disk_holds_also_of_single_ticks(spool):
    spool._file.database.execute("PRAGMA synchronous = OFF")
    for place in range(3000):
        spool.append("XAUUSD", quotes(1_704_456_000_000 + place, 1), "a")
    pragma = {
        name: spool._file.database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    }
    held = (pragma["page_count"] - pragma["freelist_count"]) * pragma["page_size"]
    assert 0.8 < spool.size.total / held < 1.2


def test_the_room_is_counted_from_one_look_to_the_next(spool):
    for part in range(3):
        spool.append("XAUUSD", quotes(100 * part, 10), "a")
    one = 241 + BATCH_BYTES
    assert (spool.size.unacknowledged, spool.size.total) == (3 * one, 3 * one)
    spool.acknowledge("XAUUSD", 20)
    spool.maintain(0)
    assert spool.size.unacknowledged == one
    spool.acknowledge("XAUUSD", 9)
    spool.maintain(0)
    assert spool.size.unacknowledged == 3 * one
    spool.begin("XAUUSD", 0)
    assert (spool.size.unacknowledged, spool.size.total) == (0, 0)


def test_what_is_read_costs_the_same_wherever_it_lies(spool):
    """Counted in steps of the database's machine: they do not depend on the computer."""
    spool._file.database.execute("PRAGMA synchronous = OFF")
    for place in range(4000):
        spool.append("XAUUSD", quotes(place, 1), "a")
    steps = []

    def cost(work):
        steps.clear()
        spool._file.database.set_progress_handler(lambda: steps.append(1), 100)
        work()
        spool._file.database.set_progress_handler(None, 0)
        return len(steps)

    first = cost(lambda: spool.read("XAUUSD", 0, 10))
    assert cost(lambda: spool.read("XAUUSD", 2000, 2010)) <= first + 2
    assert cost(lambda: spool.first_seq("XAUUSD")) <= 2
    assert cost(lambda: spool.seq_at("XAUUSD", 2500)) <= first + 20
    assert cost(lambda: spool.maintain(0)) <= 20


def test_a_disk_that_fails_is_an_error_whatever_is_asked_and_forgotten_afterwards(spool):
    spool.append("XAUUSD", quotes(0, 3), "a")
    spool.acknowledge("XAUUSD", 3)
    spool._file.database.execute("ALTER TABLE runs RENAME TO elsewhere")
    asked = [
        lambda: spool.append("XAUUSD", quotes(10, 1), "b"),
        lambda: spool.read("XAUUSD", 0, 3),
        lambda: spool.first_seq("XAUUSD"),
        lambda: spool.seq_at("XAUUSD", 5),
        lambda: spool.maintain(9 * HOUR),
        lambda: spool.renumber("XAUUSD", 50),
        lambda: spool.begin("XAUUSD", 9),
    ]
    for ask in asked:
        with pytest.raises(SpoolError, match="the spool cannot be"):
            ask()
    spool._file.database.execute("ALTER TABLE elsewhere RENAME TO runs")
    assert spool.append("XAUUSD", quotes(10, 1), "b") == 4
    assert times(spool) == [(1, 0), (2, 1), (3, 2), (4, 10)]


def test_ticks_are_renumbered_for_a_server_that_remembers_more(spool):
    spool.append("XAUUSD", quotes(0, 4), "a")
    spool.append("XAUUSD", quotes(100, 2), "b")
    spool.acknowledge("XAUUSD", 4)
    spool.renumber("XAUUSD", 50)
    assert times(spool) == [(51, 100), (52, 101)]
    state = spool.state("XAUUSD")
    assert (state.last_seq, state.acknowledged_seq) == (52, 50)
    assert spool.append("XAUUSD", quotes(200, 1), "c") == 53


def test_beginning_anew_forgets_what_was_held(spool):
    spool.append("XAUUSD", quotes(0, 4), "a")
    spool.begin("XAUUSD", 2)
    assert spool.state("XAUUSD") == SpoolState(2, 2)
    assert times(spool) == []
    assert spool.first_seq("XAUUSD") == 3


def test_a_second_connector_cannot_use_the_same_spool(tmp_path, spool):
    with pytest.raises(SpoolError, match="in use by another connector"):
        Spool(tmp_path)


def test_a_damaged_file_and_an_unwritable_directory_are_refused(tmp_path):
    (tmp_path / "spool.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(SpoolError, match="is damaged"):
        Spool(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be written"):
        Spool(tmp_path / "file" / "spool")


def test_every_commit_survives_a_kill(tmp_path):
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from mt5_bridge.protocol.quotes import Quotes
        from mt5_bridge.connector.spool import Spool
        spool = Spool(Path(sys.argv[1]))
        if spool.state("XAUUSD") is None:
            spool.begin("XAUUSD", 0)
        while True:
            first = spool.state("XAUUSD").last_seq
            rows = [(first + place, 10.0, 11.0) for place in range(1, 8)]
            print(spool.append("XAUUSD", Quotes.of(rows), str(first + 7)), flush=True)
        """
    )
    last = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(40):
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        spool = Spool(tmp_path)
        state = spool.state("XAUUSD")
        assert state.last_seq >= last
        assert state.bookmark == str(state.last_seq)
        assert times(spool) == [(seq, seq) for seq in range(1, state.last_seq + 1)]
        spool.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=8),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_read_gives_what_was_asked_for(tmp_path_factory, sizes, after, length):
    spool = Spool(tmp_path_factory.mktemp("spool"))
    spool.begin("XAUUSD", 0)
    for size in sizes:
        spool.append("XAUUSD", quotes(0, size), "a")
    total = sum(sizes)
    found = [seq for seq, _ in times(spool, after, after + length)]
    wanted = list(range(after + 1, min(after + length, total) + 1))
    assert found[: len(wanted)] == wanted
    assert SpooledBatch(1, quotes(0, 3)).last_seq == 3
    spool.close()


def test_a_spool_has_an_identity_that_stays_and_is_no_other_spools(tmp_path):
    spool, other = Spool(tmp_path / "one"), Spool(tmp_path / "two")
    identity = spool.identity
    assert identity != other.identity
    assert len(identity) == 32
    spool.close()
    other.close()

    again = Spool(tmp_path / "one")
    assert again.identity == identity
    again.close()
