"""Tasks of trades and messages: what each starts next, and that it may run twice."""

from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from celery import Task
from django.utils import timezone
from redis import Redis
from structlog.testing import capture_logs

from signals_app.models import Decision, Signal, StreamPosition
from signals_app.pipeline import stream
from tests.stand_ins.telegram_api import TelegramApi
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import decided, kinds, stored_signal
from trades_app import tasks
from trades_app.models import Channel, ChannelDelivery, Message, Trade
from trades_app.notifications import routing

pytestmark = pytest.mark.django_db

GOLD = "XAUUSD"
#: Names of tasks that were sent to the broker, with their arguments.
Sent: TypeAlias = list[tuple[str, tuple[Any, ...]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What tasks sent to the broker: name and arguments."""
    found: Sent = []
    monkeypatch.setattr(
        Task,
        "apply_async",
        lambda task, args=(), *_, **__: found.append((task.name.rpartition(".")[2], tuple(args))),
    )
    return found


def position(ordinal: int) -> StreamPosition:
    return StreamPosition.objects.create(
        instrument=GOLD, ordinal=ordinal, time_ms=CLOSE_MS + 60_000, bid=2048.0, ask=2048.2
    )


def test_an_opened_trade_lets_the_next_close_be_decided_and_its_message_leave(
    sent: Sent,
) -> None:
    stored_signal()
    decided(Decision.Outcome.OPENING)
    position(10)

    tasks.open_trade(SIGNAL.signal_id)

    assert kinds(Trade.objects.get()) == ["OPENED", "MONITORING_STARTED"]
    assert sent == [("generate_signal", (GOLD,)), ("deliver", ())]
    assert Message.objects.get().kind == Message.Kind.SIGNAL


def test_a_task_that_is_repeated_opens_no_second_trade_and_starts_nothing(
    sent: Sent,
) -> None:
    stored_signal()
    decided(Decision.Outcome.OPENING)
    position(10)
    tasks.open_trade(SIGNAL.signal_id)
    sent.clear()

    tasks.open_trade(SIGNAL.signal_id)

    assert (Trade.objects.count(), sent) == (1, [])


def test_a_trade_whose_ticks_are_gone_from_redis_waits_for_them(
    redis_client: Redis, sent: Sent
) -> None:
    stored_signal()
    decision = decided(Decision.Outcome.OPENING)
    position(20)
    stream.connection().flushdb()

    with capture_logs() as logs:
        tasks.open_trade(SIGNAL.signal_id)

    assert [entry["event"] for entry in logs] == ["trade_waits_for_ticks"]
    assert (Trade.objects.count(), sent) == (0, [])
    decision.refresh_from_db()
    assert decision.outcome == Decision.Outcome.OPENING


def test_shadows_are_followed_again_as_long_as_closes_wait(
    monkeypatch: pytest.MonkeyPatch, sent: Sent
) -> None:
    more = iter((True, False))
    monkeypatch.setattr("trades_app.shadow.following.follow", lambda symbol: next(more))

    tasks.follow_in_shadow(GOLD)
    tasks.follow_in_shadow(GOLD)

    assert sent == [("follow_in_shadow", (GOLD,))]


def put(signal: Signal, key: str, **fields: Any) -> Message:
    return Message.objects.create(
        key=key, kind="SIGNAL", instrument=GOLD, signal=signal, text=key, **fields
    )


def test_everything_due_is_sent_by_one_task(signal: Signal, telegram_api: TelegramApi) -> None:
    put(signal, "first")
    put(signal, "second")

    tasks.deliver()
    tasks.deliver()

    assert telegram_api.texts() == ["first", "second"]


def test_the_sweep_sends_what_a_worker_that_died_had_claimed(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    tasks.sweep()
    put(signal, "lost")
    routing.route()
    ChannelDelivery.objects.update(status=ChannelDelivery.Status.SENDING)
    Channel.objects.update(leased_until=timezone.now() - timedelta(seconds=1))

    tasks.sweep()

    assert telegram_api.texts()[0].startswith("lost\n🔁 May repeat")


@pytest.mark.parametrize(("alerts", "sent_next"), [(1, [("deliver", ())]), (0, [])])
def test_an_alert_about_the_feed_leaves_at_once(
    monkeypatch: pytest.MonkeyPatch,
    sent: Sent,
    alerts: int,
    sent_next: Sent,
) -> None:
    monkeypatch.setattr("trades_app.notifications.feed_watch.watch_feed", lambda now: alerts)

    tasks.watch_feed()

    assert sent == sent_next
