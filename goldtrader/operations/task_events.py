"""Task events for Flower, several in one message.

Celery publishes them in each turn of a worker's event loop, which took two fifths of what the
worker did, and a candle close passes through that loop seven times.
"""

from typing import TYPE_CHECKING, Any

from celery.worker import consumer

# Celery's type stubs know few of a consumer's attributes.
Consumer: Any = object if TYPE_CHECKING else consumer.Consumer

#: Flower is behind by so many seconds at most.
FLUSH_SECONDS = 0.25


class EventBatchingConsumer(Consumer):  # type: ignore[misc]
    """Celery's consumer, which keeps task events for a moment."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._flush_is_due = False
        super().__init__(*args, **options)

    def on_send_event_buffered(self) -> None:
        """Publish what waits after a moment; Celery calls this for every event."""
        if self.hub and not self._flush_is_due:
            self._flush_is_due = True
            self.hub.call_later(FLUSH_SECONDS, self._flush_batch)

    def _flush_batch(self) -> None:
        self._flush_is_due = False
        self._flush_events()
