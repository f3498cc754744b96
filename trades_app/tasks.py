"""Tasks of trades and messages: each takes ids, calls one function, and may run twice."""

import threading

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from signals_app.pipeline.stream import TicksMissing
from signals_app.tasks import generate_signal
from trades_app.notifications import delivery, feed_watch
from trades_app.shadow import following
from trades_app.trading import opening

log = structlog.get_logger(__name__)

#: So many threads of a process may wait for Telegram; the others go on with reports and alerts.
_SENDERS = threading.BoundedSemaphore(6)


@shared_task(name="trades_app.tasks.open_trade")
def open_trade(signal_id: str) -> None:
    """Open a signal's trade; then the symbol's next close may be decided."""
    try:
        symbol = opening.open_trade(signal_id)
    except TicksMissing as missing:
        # The signal stays marked as opening: the sweep asks again when the ticks are back.
        log.warning("trade_waits_for_ticks", signal_id=signal_id, detail=str(missing))
        return
    if symbol is not None:
        go_on(symbol)


def go_on(symbol: str) -> None:
    """Let the symbol's next close be decided, and send what was written."""
    generate_signal.delay(symbol)
    deliver.delay()


@shared_task(name="trades_app.tasks.follow_in_shadow")
def follow_in_shadow(symbol: str) -> None:
    """Let the strategies in shadow decide the closes that were decided; a part at a time."""
    if following.follow(symbol):
        follow_in_shadow.delay(symbol)


@shared_task(name="trades_app.tasks.deliver")
def deliver() -> None:
    """Send and edit what is due, one chat after another; a further task serves the next chat."""
    if not _SENDERS.acquire(blocking=False):
        # Enough of this process' threads wait for Telegram: the sweep starts the next one.
        return
    try:
        delivery.deliver(start_another=deliver.delay)
    finally:
        _SENDERS.release()


@worker_shutting_down.connect
def stop_delivering(**_: object) -> None:
    """Settle the calls that are under way, and make no more, so that none is in doubt later."""
    delivery.stop_soon()


@shared_task(name="trades_app.tasks.watch_feed")
def watch_feed() -> None:
    """Tell operators of a market that is not heard, and of its coming back."""
    if feed_watch.watch_feed(timezone.now()):
        deliver.delay()


@shared_task(name="trades_app.tasks.sweep")
def sweep() -> None:
    """Find the messages that nobody sent, and the cards that show what is over."""
    deliver()
