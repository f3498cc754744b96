"""The stream as its only reader sees it: in order, in batches, and never over a hole."""

from collections.abc import Callable

import pytest
from redis import Redis

from signals_app.pipeline import stream

Feed = Callable[..., None]
NOON = 1_398_945_600_000


def test_a_batch_holds_what_came_behind_an_entry_in_order(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + 1, 1301.0))
    feed((NOON + 2, 1302.0))
    feed(watermark=NOON + 900_000)

    everything, is_last = stream.read_batch("XAUUSD", "0-0")
    behind, _ = stream.read_batch("XAUUSD", "2-0")

    assert [entry.entry_id for entry in everything] == ["2-0", "3-0", "3-1"]
    assert is_last
    assert [entry.watermark_ms for entry in everything] == [None, None, NOON + 900_000]
    assert [entry.entry_id for entry in behind] == ["3-0", "3-1"]
    assert everything[0].ticks is not None
    assert everything[0].ticks.time_ms.tolist() == [NOON, NOON + 1]
    assert (everything[0].connector, everything[0].seq) == ("mt5", 2)


def test_a_batch_ends_where_one_transaction_has_enough(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "TICKS_PER_BATCH", 40)
    for number in range(100):
        feed((NOON + number, 1300.0))

    batch, is_last = stream.read_batch("XAUUSD", "0-0")

    assert not is_last
    assert 40 <= len(batch) < 100
    assert [entry.entry_id for entry in batch] == [f"{n}-0" for n in range(1, len(batch) + 1)]


def test_ticks_are_read_from_the_middle_of_an_entry(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + 1, 1301.0), (NOON + 2, 1302.0))
    feed((NOON + 3, 1303.0), (NOON + 4, 1304.0))

    runs = list(stream.read_ticks("XAUUSD", 1, 4))

    assert [run.bid.tolist() for run in runs] == [[1301.0, 1302.0], [1303.0]]


def test_a_hole_is_named_not_stepped_over(feed: Feed, redis_client: Redis) -> None:
    feed((NOON, 1300.0))
    feed((NOON + 1, 1301.0))
    feed((NOON + 2, 1302.0))
    redis_client.xdel("ticks:XAUUSD", "2-0")

    with pytest.raises(stream.TicksMissing, match="XAUUSD: tick 2 is not in the stream"):
        list(stream.read_ticks("XAUUSD", 1, 3))


def test_ids_are_compared_as_numbers() -> None:
    assert stream.is_after("10-0", "9-3")
    assert stream.is_after("9-10", "9-9")
    assert not stream.is_after("9-1", "9-1")


def test_an_empty_stream_ends_at_its_beginning(feed: Feed) -> None:
    assert stream.last_entry_id("XAUUSD") == "0-0"
    assert stream.streamed_symbols() == []

    feed((NOON, 1300.0))
    feed((NOON, 1.1), symbol="EURUSD")

    assert stream.last_entry_id("XAUUSD") == "1-0"
    assert stream.streamed_symbols() == ["EURUSD", "XAUUSD"]


def test_trimming_keeps_what_is_needed(feed: Feed) -> None:
    for number in range(300):
        feed((NOON + number, 1300.0))

    stream.trim("XAUUSD", 250)

    kept = [entry.entry_id for entry in stream.read_batch("XAUUSD", "0-0")[0]]
    assert kept[-1] == "300-0"
    assert "250-0" in kept
    assert len(kept) < 300
