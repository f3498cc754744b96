"""The position moves with its consequences."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from redis import Redis

from signals_app.market.calendar import utc
from signals_app.market.candle import Timeframe
from signals_app.models import Decision, PriceCandle, StreamPosition
from signals_app.pipeline import candles, checkpoints, ports, stream
from signals_app.services import price_history
from tests.signals_app.pipeline.book import FakeBook

pytestmark = pytest.mark.django_db

Feed = Callable[..., None]
QUARTER = 15 * 60_000
#: A Thursday, 12:00 UTC: a boundary of every timeframe.
NOON = 1_398_945_600_000


def build_all() -> list[candles.Built]:
    built = []
    while (batch := candles.build_batch("XAUUSD")) is not None:
        built.append(batch)
    return built


def rows() -> list[tuple[str, int, float]]:
    return [
        (candle.timeframe, round(candle.timestamp.timestamp() * 1000), float(candle.close))
        for candle in PriceCandle.objects.order_by("timeframe", "timestamp")
    ]


def test_ticks_become_candles_and_the_position_is_behind_them(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + 1000, 1301.0))
    feed((NOON + QUARTER, 1302.0))

    built = build_all()

    assert built == [candles.Built(3, (("M15", NOON + QUARTER),), gave_entry=False, is_last=True)]
    assert rows() == [("M15", NOON, 1301.0)]
    position = StreamPosition.objects.get(instrument="XAUUSD")
    assert (position.entry_id, position.ordinal, position.seqs) == ("3-0", 3, {"mt5": 3})
    assert position.writer == "mt5"
    assert position.first_time_ms == NOON


def test_the_closing_tick_is_the_entry_of_the_close(feed: Feed) -> None:
    feed((NOON, 1300.0))
    feed((NOON + 2000, 1300.5), (NOON + QUARTER + 7, 1302.0))

    build_all()

    decision = Decision.objects.get()
    assert decision.close_time_ms == NOON + QUARTER
    assert (decision.entry_ordinal, decision.entry_time_ms) == (3, NOON + QUARTER + 7)
    assert (decision.entry_bid, decision.entry_ask) == (1302.0, 1302.3)
    # From this mark on the stream must still be there: it is before the entry's own frame.
    assert decision.checkpoint["ordinal"] == 1
    assert (decision.checkpoint["seqs"], decision.checkpoint["writer"]) == ({"mt5": 1}, "mt5")


def test_a_close_by_watermark_waits_for_its_entry_tick(feed: Feed) -> None:
    feed((NOON, 1300.0))
    feed(watermark=NOON + QUARTER)
    build_all()
    assert Decision.objects.get().entry_ordinal is None
    assert rows() == [("M15", NOON, 1300.0)]

    feed((NOON + QUARTER + 5000, 1303.0))
    (built,) = build_all()

    assert built.gave_entry
    decision = Decision.objects.get()
    assert (decision.entry_ordinal, decision.entry_bid) == (2, 1303.0)


def test_a_tick_from_before_the_watermark_opens_no_closed_candle_again(feed: Feed) -> None:
    feed((NOON, 1300.0))
    feed(watermark=NOON + QUARTER)
    feed((NOON + 5000, 1290.0))
    feed((NOON + 2 * QUARTER, 1303.0))

    build_all()

    assert rows() == [("M15", NOON, 1300.0), ("M15", NOON + QUARTER, 1290.0)]


def test_a_close_looks_at_the_longer_candles_that_end_with_it(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + 3 * QUARTER, 1301.0), (NOON + 4 * QUARTER, 1302.0))

    build_all()

    first, second = Decision.objects.order_by("close_time_ms")
    assert (first.h1_close_ms, first.h4_close_ms) == (None, None)
    assert (second.h1_close_ms, second.h4_close_ms) == (NOON + 4 * QUARTER, None)


def test_entries_that_come_again_change_nothing(feed: Feed, redis_client: Redis) -> None:
    feed((NOON, 1300.0), (NOON + QUARTER, 1301.0))
    build_all()
    before = (rows(), StreamPosition.objects.values().get())

    held = redis_client.xrange("ticks:XAUUSD")
    redis_client.flushdb()
    for entry_id, values in held:
        redis_client.xadd("ticks:XAUUSD", values, id=entry_id)

    assert build_all() == []
    assert (rows(), StreamPosition.objects.values().get()) == before


def test_a_hole_in_the_stream_is_not_stepped_over(feed: Feed, redis_client: Redis) -> None:
    feed((NOON, 1300.0))
    feed((NOON + 1, 1301.0))
    redis_client.xdel("ticks:XAUUSD", "1-0")

    with pytest.raises(stream.TicksMissing, match="goes on at tick 2, used are 0"):
        candles.build_batch("XAUUSD")
    assert not StreamPosition.objects.filter(ordinal__gt=0).exists()


def test_what_fails_in_the_trade_book_leaves_the_position_where_it_was(feed: Feed) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    feed((NOON, 1300.0), (NOON + QUARTER, 1301.0))

    with (
        ports.replaced(FakeBook(on_ticks=fail)),
        pytest.raises(RuntimeError, match="the disk is full"),
    ):
        candles.build_batch("XAUUSD")

    assert rows() == []
    assert StreamPosition.objects.get().ordinal == 0


def test_history_ends_where_the_ticks_begin(feed: Feed) -> None:
    history = [
        [NOON + place * QUARTER, 1299.0, 1299.0, 1299.0, 1299.0, 5.0] for place in range(-3, 3)
    ]
    assert price_history.store_history("XAUUSD", Timeframe.M15, history) == 6

    feed((NOON + 60_000, 1300.0))
    (built,) = build_all()

    assert [time for _, time, _ in rows()] == [NOON + place * QUARTER for place in (-3, -2, -1)]
    assert built.closes == (("M15", NOON),)
    assert price_history.store_history("XAUUSD", Timeframe.M15, history) == 3
    assert len(rows()) == 3


def test_history_never_overwrites_what_ticks_made(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + QUARTER, 1301.0))
    build_all()

    price_history.store_history(
        "XAUUSD", Timeframe.M15, [[NOON - QUARTER, 1.0, 1.0, 1.0, 1.0, 1.0], [NOON, 2, 2, 2, 2, 2]]
    )

    assert rows() == [("M15", NOON - QUARTER, 1.0), ("M15", NOON, 1300.0)]


def test_the_mark_holds_all_ticks_of_the_last_millisecond(feed: Feed) -> None:
    feed((NOON, 1300.0), (NOON + 1, 1301.0))
    feed((NOON + 1, 1302.0), (NOON + 1, 1301.0))
    build_all()

    mark = checkpoints.resume_checkpoint("XAUUSD")
    assert mark is not None
    assert [bid for bid, _, _ in mark["tail"]] == [1301.0, 1302.0, 1301.0]


def test_the_resume_mark_is_the_position_or_what_an_open_close_still_needs(feed: Feed) -> None:
    assert checkpoints.resume_checkpoint("XAUUSD") is None
    feed((NOON, 1300.0))
    build_all()
    assert checkpoints.resume_checkpoint("XAUUSD") == {
        "ordinal": 1,
        "time_ms": NOON,
        "bid": 1300.0,
        "seqs": {"mt5": 1},
        "writer": "mt5",
        "watermark_ms": 0,
        "tail": [[1300.0, 1300.3, ["mt5"]]],
    }

    feed((NOON + QUARTER, 1301.0))
    feed((NOON + QUARTER + 1, 1302.0))
    build_all()

    mark = checkpoints.resume_checkpoint("XAUUSD")
    assert mark is not None
    assert mark["ordinal"] == 1
    assert min(candles.needed_ordinals("XAUUSD")) == 2


def test_a_window_has_the_last_candles_oldest_first() -> None:
    made = PriceCandle.objects.bulk_create(
        PriceCandle(
            instrument="XAUUSD",
            timeframe="M15",
            timestamp=utc(NOON + place * QUARTER),
            open=Decimal(1),
            high=Decimal(2),
            low=Decimal(1),
            close=Decimal(place) / 8 + 1,
            volume=1,
        )
        for place in range(6)
    )
    assert len(made) == 6

    window = PriceCandle.objects.window("XAUUSD", Timeframe.M15, NOON + 5 * QUARTER, 3)

    assert window.time_ms.tolist() == [NOON + place * QUARTER for place in (2, 3, 4)]
    assert window.close.tolist() == [1.25, 1.375, 1.5]
    assert len(PriceCandle.objects.window("XAUUSD", Timeframe.H1, NOON, 3)) == 0
