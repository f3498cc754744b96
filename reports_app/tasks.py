"""Tasks of records and reports: each calls one function, and may run twice."""

from typing import Any

from celery import shared_task

from reports_app.experiments import trials
from reports_app.track_record import performance, reporting
from signals_app.models import StreamPosition
from trades_app.tasks import deliver


@shared_task(name="reports_app.tasks.report")
def report() -> None:
    """Seal the days that are over, and report the periods that ended."""
    symbols = StreamPosition.objects.order_by("instrument").values_list("instrument", flat=True)
    if sum(reporting.report(symbol) for symbol in symbols):
        deliver.delay()


@shared_task(name="reports_app.tasks.recompute_performance")
def recompute_performance() -> None:
    """Write the figures of the periods in which something happened lately."""
    performance.recompute_recent()


# Results are wanted here, and a trial that is lost with its worker is noticed by who asked for it;
# given back after the broker's time limit, a long one would be run twice.
@shared_task(name="reports_app.tasks.run_trial", ignore_result=False, acks_late=False)
def run_trial(market: dict[str, Any], parameters: dict[str, Any]) -> list[list[float]]:
    """Run these parameters over this file for `manage.py optimise`; give the closed trades."""
    return trials.run_trial(market, parameters)
