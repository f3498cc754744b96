"""`manage.py export`: what the database holds, as a backtest of the same ticks prints it."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reports_app.track_record.export import track_record_as_json
from signals_app.management.database import add_data_dir_argument, open_database


class Command(BaseCommand):
    """Prints every signal and every trade, in the order of their candles."""

    help = "Print the signals and trades of the database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add where the database is and how to print."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        """Print all, or how much there is."""
        with open_database(options["data_dir"], by="export"):
            exported = track_record_as_json()
        if options["json"]:
            self.stdout.write(json.dumps(exported))
            return
        counts = f"{len(exported['signals'])} signals, {len(exported['trades'])} trades"
        self.stdout.write(f"{counts}; --json prints them.")
