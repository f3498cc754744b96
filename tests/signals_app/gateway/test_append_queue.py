"""What waits to be stored, and in what portions it is taken."""

from mt5_bridge.protocol.wire import Row
from signals_app.gateway.append_plan import Batch
from signals_app.gateway.append_queue import MAX_APPEND_ROWS, AppendQueue, Portion

GOLD = "XAUUSD"


def batch(seq: int, count: int) -> Batch:
    return Batch(seq, [Row(n, 2000.0, 2000.3) for n in range(seq, seq + count)])


def test_batches_that_gathered_are_taken_together_with_the_watermark_behind_them() -> None:
    queue = AppendQueue()
    queue.add_batch(GOLD, batch(1, 2), 5.0)
    queue.add_batch(GOLD, batch(3, 1), 6.0)
    queue.add_watermark(GOLD, 900_000, 7.0)
    queue.add_batch(GOLD, batch(4, 1), 8.0)
    assert queue.row_count == 4
    assert queue.take() == [Portion(GOLD, [batch(1, 2), batch(3, 1)], 900_000, 5.0)]
    assert queue.take() == [Portion(GOLD, [batch(4, 1)], None, 5.0)]
    assert not queue
    assert queue.row_count == 0


def test_time_counts_from_the_first_that_waits() -> None:
    queue = AppendQueue()
    for received_at in (5.0, 9.0):
        queue.add_watermark(GOLD, 900_000, received_at)
        assert queue.take()[0].received_at == received_at


def test_every_symbol_gives_one_portion() -> None:
    queue = AppendQueue()
    queue.add_batch(GOLD, batch(1, 2), 1.0)
    queue.add_batch("EURUSD", batch(1, 3), 2.0)
    assert [(one.symbol, len(one.batches)) for one in queue.take()] == [(GOLD, 1), ("EURUSD", 1)]
    assert queue.take() == []


def test_a_portion_is_bounded_but_a_long_frame_stays_whole() -> None:
    queue = AppendQueue()
    long, short = batch(1, MAX_APPEND_ROWS + 1), batch(MAX_APPEND_ROWS + 2, 1)
    queue.add_batch(GOLD, long, 1.0)
    queue.add_batch(GOLD, short, 1.0)
    assert [portion.batches for portion in queue.take()] == [[long]]
    assert [portion.batches for portion in queue.take()] == [[short]]


def test_what_is_discarded_is_given_back_without_its_watermarks() -> None:
    queue = AppendQueue()
    queue.add_batch(GOLD, batch(1, 2), 1.0)
    queue.add_watermark(GOLD, 900_000, 1.0)
    queue.add_batch("EURUSD", batch(1, 3), 1.0)
    assert queue.discard(GOLD) == [batch(1, 2)]
    assert queue.discard(GOLD) == []
    assert queue.row_count == 3
    queue.discard_all()
    assert not queue
    assert queue.row_count == 0
