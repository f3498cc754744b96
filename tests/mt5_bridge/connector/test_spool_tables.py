import pytest

from mt5_bridge.connector.spool_file import SpoolError, SpoolFile
from mt5_bridge.connector.spool_retention import Retention
from mt5_bridge.connector.spool_size import SpoolSize
from mt5_bridge.connector.spool_tables import (
    BATCH_BYTES,
    BatchTable,
    SpooledBatch,
    SpoolState,
    StateTable,
)
from mt5_bridge.protocol.quote_filter import LastGood
from mt5_bridge.protocol.quotes import Quotes

ONE = 1 + 24 + BATCH_BYTES
HOUR = 3_600_000


@pytest.fixture
def file(tmp_path):
    opened = SpoolFile(tmp_path)
    yield opened
    opened.close()


def batches(file, *seqs, symbol="XAUUSD"):
    """Put one tick into a batch of its own for each number; its time is the number's tenfold."""
    table = BatchTable(file)
    for seq in seqs:
        batch = SpooledBatch(seq, Quotes.of([(10 * seq, 1.0, 2.0)]))
        table.insert(symbol, [(batch, batch.quotes.pack())])
    return table


def held(table, symbol="XAUUSD"):
    return [batch.first_seq for batch in table.read(symbol, 0, 10**9 - 1)]


def test_a_batch_is_cut_on_either_side():
    batch = SpooledBatch(5, Quotes.of([(at, 1.0, 2.0) for at in range(4)]))
    assert (batch.after(6).first_seq, len(batch.after(6).quotes)) == (7, 2)
    assert batch.after(4) is batch
    assert batch.up_to(6).last_seq == 6


def test_states_come_back_as_written(file):
    state = SpoolState(7, 3, LastGood(70, 1.5), "mark", dropped=2)
    StateTable(file).write("XAUUSD", SpoolState())
    StateTable(file).write("XAUUSD", state)
    assert StateTable(file).read_all() == {"XAUUSD": state}


def test_numbers_of_neighbours_do_not_meet_when_they_are_raised(file):
    table = batches(file, 1, 2, 3)
    table.renumber("XAUUSD", 1)
    assert held(table) == [2, 3, 4]


def test_what_a_transaction_did_before_it_failed_is_undone(file):
    table = BatchTable(file)

    def fail_half_way():
        with file.transaction():
            batches(file, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert held(table) == []
    with pytest.raises(SpoolError, match="cannot be written"), file.transaction():
        file.execute("INSERT INTO nowhere VALUES (1)")


def test_what_was_acknowledged_an_hour_ago_goes_but_for_the_last_batch(file):
    table = batches(file, 1, 2, 3)
    retention = Retention(file, table, keep_ms=HOUR)
    assert retention.expire("XAUUSD", 2, 0) == 0
    assert retention.expire("XAUUSD", 2, HOUR + 1) == ONE
    assert held(table) == [2, 3]


def test_an_acknowledgement_that_was_taken_back_does_not_count(file):
    table = batches(file, 1, 2, 3)
    retention = Retention(file, table, keep_ms=HOUR)
    retention.expire("XAUUSD", 3, 0)
    retention.expire("XAUUSD", 1, 1)
    assert retention.expire("XAUUSD", 1, 2 * HOUR) == 0


def test_room_is_made_of_the_oldest_of_all_symbols(file):
    table = batches(file, 1, 4, 9)
    batches(file, 2, 3, 9, symbol="EURUSD")
    freed = Retention(file, table, HOUR).make_room({"XAUUSD": 9, "EURUSD": 9}, 2 * ONE + 1)
    assert freed == 3 * ONE
    assert (held(table), held(table, "EURUSD")) == ([4, 9], [9])


def test_bytes_are_counted_on_from_the_last_count(file):
    table = batches(file, 1, 2, 3)
    size = SpoolSize(table, {"XAUUSD": 0})
    assert (size.total, size.unacknowledged) == (3 * ONE, 3 * ONE)
    size.count("XAUUSD", 2)
    assert size.unacknowledged == ONE
    size.count("XAUUSD", 1)
    assert size.unacknowledged == 2 * ONE
    batches(file, 4)
    size.added("XAUUSD", ONE)
    assert (size.total, size.unacknowledged) == (4 * ONE, 3 * ONE)
