"""`manage.py recompute_performance`: the rows of performance_metrics, from the trades."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reports_app.models import PerformanceMetric
from reports_app.track_record.performance import recompute
from signals_app.market.symbols import UnknownSymbol
from signals_app.services import audit
from signals_app.services.audit import Change
from signals_app.services.price_history import known_symbol


class Command(BaseCommand):
    """Writes every period again, all or from a day on; running it twice changes nothing."""

    help = "Compute the rows of performance_metrics from the trades."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add from when on, and of which instrument."""
        parser.add_argument("--since", type=dt.date.fromisoformat, help="UTC day, 2024-01-31")
        parser.add_argument("--symbol", help="one instrument; by default all")

    def handle(self, **options: Any) -> None:
        """Compute, and say how many rows there are."""
        since = options["since"]
        try:
            symbol = known_symbol(options["symbol"])
        except UnknownSymbol as error:
            raise CommandError(str(error), returncode=2) from None
        with transaction.atomic():
            rows = recompute(since=since, instrument=symbol)
            asked = {"since": since, "rows": rows}
            kind = PerformanceMetric._meta.label_lower
            audit.record(Change("computed again", kind, symbol or "all instruments", after=asked))
        self.stdout.write(f"{rows} rows of days, weeks and months.")
