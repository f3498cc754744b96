"""The chain of tasks behind a close, on a broker that may shuffle, repeat and lose its messages."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task
from django.utils import timezone
from redis import Redis
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from signals_app import tasks
from signals_app.market import calendar
from signals_app.models import Analysis, Decision, Signal, Strategy
from signals_app.pipeline import analysis, candles, stream
from signals_app.pipeline.ports import replaced
from signals_app.pipeline.stream_keys import stream_key
from signals_app.services import price_history
from tests.signals_app.pipeline.book import FakeBook
from tests.stand_ins.market_files import MarketFiles, write_market_files

pytestmark = pytest.mark.django_db

SYMBOL = "XAUUSD"
TICKS = 4_000
DETECTORS = ["detect_structure", "detect_fvg", "detect_order_blocks", "detect_liquidity"]


class Broker:
    """Keeps what tasks send, and runs it in the order that it is given."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Task, tuple[Any, ...]]] = []
        self.ran: list[str] = []

    def run(
        self, chance: random.Random | None = None, *, repeat: float = 0, lose: float = 0
    ) -> None:
        while self.waiting:
            place = chance.randrange(len(self.waiting)) if chance else 0
            task, args = self.waiting.pop(place)
            if chance and chance.random() < lose:
                continue
            for _ in range(2 if chance and chance.random() < repeat else 1):
                self.ran.append(task.name.rpartition(".")[2])
                task(*args)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(
        Task,
        "apply_async",
        lambda task, args=(), *_, **__: made.waiting.append((task, tuple(args))),
    )
    return made


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> MarketFiles:
    return write_market_files(tmp_path_factory.mktemp("market"))


class OpeningBook(FakeBook):
    """Lets the next close be decided as soon as a signal is there, as an opened trade does."""

    def on_signal(self, signal_id: str) -> None:
        super().on_signal(signal_id)
        opening = Decision.objects.filter(outcome=Decision.Outcome.OPENING)
        opening.update(outcome=Decision.Outcome.SIGNAL)
        tasks.generate_signal.delay(SYMBOL)


@pytest.fixture
def book() -> Iterator[FakeBook]:
    made = OpeningBook()
    with replaced(made):
        yield made


@pytest.fixture
def ticks(redis_client: Redis, market: MarketFiles) -> Iterator[None]:
    """A stream that holds the market's first ticks, and its history in the database."""
    stream.connection.cache_clear()
    for timeframe, window in market.history.items():
        rows = [(c.time_ms, c.open, c.high, c.low, c.close, c.volume) for c in window]
        price_history.store_history(SYMBOL, timeframe, rows)
    run = market.ticks.part(0, TICKS)
    redis_client.xadd(
        stream_key(SYMBOL),
        {"f": 1, "n": len(run), "c": "mt5", "q": run.last_ordinal, "d": run.pack()},
        id=f"{run.last_ordinal}-0",
    )
    yield
    stream.connection.cache_clear()


def outcomes() -> list[tuple[Any, ...]]:
    rows = Decision.objects.order_by("close_time_ms")
    return list(rows.values_list("close_time_ms", "outcome", "direction", "score", "reason"))


def views() -> list[tuple[Any, ...]]:
    rows = Analysis.objects.order_by("timeframe", "close_time_ms")
    return list(rows.values_list("timeframe", "close_time_ms", "candles", "view"))


@pytest.mark.usefixtures("ticks")
def test_a_close_starts_its_detectors_the_last_of_them_the_confluence_and_that_a_decision(
    broker: Broker, book: FakeBook
) -> None:
    tasks.build_candles(SYMBOL)
    broker.run()

    assert broker.ran[:6] == [*DETECTORS, "analyse_confluence", "generate_signal"]
    assert outcomes()
    assert not Decision.objects.filter(outcome="PENDING").exists()
    assert not Analysis.objects.filter(completed_at=None).exists()
    assert set(book.decided) == {SYMBOL}


@pytest.mark.usefixtures("ticks", "book")
def test_shuffled_repeated_and_lost_tasks_end_in_the_same_analyses_and_decisions(
    broker: Broker,
) -> None:
    closes = []
    while (built := candles.build_batch(SYMBOL)) is not None:
        closes += built.closes
    tasks.analyse(SYMBOL, closes)
    broker.run()
    expected = outcomes(), views()
    assert len(expected[0]) > 10

    for seed in range(2):
        chance = random.Random(seed)
        Analysis.objects.update(view={}, candles=0, completed_at=None)
        Decision.objects.update(outcome="PENDING", score=None, direction="", reason="")
        Signal.objects.all().delete()
        for close in closes:
            tasks.analyse(SYMBOL, [close])
        broker.run(chance, repeat=0.3, lose=0.3)
        while Analysis.objects.filter(completed_at=None).update(due_at=timezone.now()):
            tasks.sweep()
            broker.run(chance, repeat=0.3, lose=0.2)
        tasks.sweep()
        broker.run()
        assert (outcomes(), views()) == expected


@pytest.mark.usefixtures("ticks", "book", "broker")
def test_logs_of_the_chain_name_the_candle() -> None:
    while (built := candles.build_batch(SYMBOL)) is not None:
        closes = built.closes[-1:]

    with capture_logs(processors=[merge_contextvars]) as logs:
        tasks.detect_fvg(SYMBOL, closes)
        tasks.analyse_confluence(SYMBOL, closes)

    assert {log["event"] for log in logs} == {"detector_done", "confluence_done"}
    assert {log["candle"] for log in logs} == {candles.candle_id(SYMBOL, closes)}


@pytest.mark.usefixtures("ticks", "book")
def test_a_signal_names_its_close_whoever_asked_for_decisions(broker: Broker) -> None:
    strategy = Strategy.objects.live()
    strategy.parameters = {**strategy.parameters, "threshold": 50}
    Strategy.objects.filter(pk=strategy.pk).update(parameters=strategy.parameters)
    while (built := candles.build_batch(SYMBOL)) is not None:
        tasks.analyse(SYMBOL, built.closes)

    with capture_logs(processors=[merge_contextvars]) as logs:
        broker.run()

    generated = [log for log in logs if log["event"] == "signal_generated"]
    named = {
        candles.candle_id(SYMBOL, [("M15", calendar.milliseconds(signal.timestamp))])
        for signal in Signal.objects.all()
    }
    assert generated
    assert {log["candle"] for log in generated} == named


@pytest.mark.usefixtures("ticks", "book")
def test_a_close_that_another_task_scored_is_decided_too(broker: Broker) -> None:
    while (built := candles.build_batch(SYMBOL)) is not None:
        closes = built.closes
    for detector in (getattr(tasks, name) for name in DETECTORS):
        detector(SYMBOL, closes)
    analysis.score_closes(SYMBOL)

    broker.run()

    assert broker.ran[:2] == ["analyse_confluence", "generate_signal"]


def test_closes_are_named_by_timeframes_and_time() -> None:
    noon = 1_398_945_600_000

    assert candles.candle_id(SYMBOL, []) == SYMBOL
    assert (
        candles.candle_id(SYMBOL, [("H1", noon), ("M15", noon)])
        == "XAUUSD M15,H1 2014-05-01T12:00:00Z"
    )
    assert (
        candles.candle_id(SYMBOL, [("M15", noon), ("M15", noon + 900_000)])
        == "XAUUSD M15 2014-05-01T12:00:00Z..2014-05-01T12:15:00Z"
    )
