"""Task events on their way to Flower."""

from types import SimpleNamespace
from typing import Any

from goldtrader.operations.task_events import FLUSH_SECONDS, EventBatchingConsumer


class Hub:
    """An event loop's clock that moves when asked."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Any]] = []

    def call_later(self, delay: float, callback: Any) -> None:
        self.waiting.append((delay, callback))

    def pass_time(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, callback in waiting:
            callback()


def consumer(hub: Hub | None) -> tuple[EventBatchingConsumer, list[str]]:
    made = EventBatchingConsumer.__new__(EventBatchingConsumer)
    flushed: list[str] = []
    made._flush_is_due = False
    made.hub = hub
    made.event_dispatcher = SimpleNamespace(flush=lambda: flushed.append("flush"))
    return made, flushed


def test_events_of_a_moment_are_published_once() -> None:
    hub = Hub()
    made, flushed = consumer(hub)

    for _ in range(20):
        made.on_send_event_buffered()
    assert [delay for delay, _ in hub.waiting] == [FLUSH_SECONDS]
    hub.pass_time()
    made.on_send_event_buffered()
    hub.pass_time()

    assert flushed == ["flush", "flush"]


def test_without_an_event_loop_celery_publishes_each_itself() -> None:
    made, flushed = consumer(None)

    made.on_send_event_buffered()

    assert flushed == []
