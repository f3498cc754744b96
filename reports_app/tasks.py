"""Tasks of records and reports: each calls one function, and may run twice."""

from celery import current_app, shared_task

from reports_app import recompute, reporting
from signals_app.models import StreamPosition


@shared_task
def report() -> None:
    """Seal the days that are over, and tell of the periods that ended."""
    symbols = StreamPosition.objects.order_by("symbol").values_list("symbol", flat=True)
    if sum(reporting.report(symbol) for symbol in symbols):
        current_app.send_task("trades_app.tasks.deliver")


@shared_task
def recompute_performance() -> None:
    """Write the figures of the periods in which something happened lately."""
    recompute.recompute_recent()
