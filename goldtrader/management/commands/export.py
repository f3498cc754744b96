"""`manage.py export`: what the database holds, as a backtest of the same ticks prints it."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from signals_app.confluence.signal import signal_as_json
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.models import Signal
from signals_app.pipeline.decisions import signal_value
from trades_app.lifecycle.machine import trade_as_json
from trades_app.models import Trade
from trades_app.trading.services import event_value, trade_value


class Command(BaseCommand):
    """Prints every signal and every trade, in the order of the record."""

    help = "Print the signals and trades of the database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where the database is and how to print."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        """Print all, or how much there is."""
        with open_database(options["data_dir"], by="export"):
            record = recorded()
        if options["json"]:
            self.stdout.write(json.dumps(record))
            return
        counts = f"{len(record['signals'])} signals, {len(record['trades'])} trades"
        self.stdout.write(f"{counts}; --json prints them.")


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Return all signals and trades: by candle close, then instrument, then signal id."""
    trades = Trade.objects.told().prefetch_related("events")
    return {
        "signals": [signal_as_json(signal_value(row)) for row in Signal.objects.told()],
        "trades": [
            trade_as_json(trade_value(row), [event_value(event) for event in row.events.all()])
            for row in trades
        ],
    }
