"""`manage.py stack`: everything up in one terminal."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from goldtrader.stack.screen import Screen
from goldtrader.stack.stack import Wish, run


class Command(BaseCommand):
    """Parses the wish; the stack does the rest."""

    help = "Starts database, Redis, gateway, workers, web and a feed; Ctrl-C ends all of them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options, each with the default that a first run wants."""
        parser.add_argument(
            "--feed", default="simulated", help="simulated, none, or a file of ticks"
        )
        parser.add_argument("--speed", default="1", help="times real time, or max")
        parser.add_argument("--history", type=Path, help="SYMBOL_TIMEFRAME.csv, or a directory")
        parser.add_argument("--data-dir", type=Path, default=settings.DATA_DIR)
        parser.add_argument("--port", type=int, default=8000, help="of the web server")
        parser.add_argument("--gateway-port", type=int, default=settings.GATEWAY_PORT)
        parser.add_argument("--workers", type=int, default=2, help="processes of the pipeline")
        parser.add_argument("--symbol", help="of the feed; by default what the file name says")
        parser.add_argument(
            "--source-timezone", default="utc", help="the clock of the file, if it names none"
        )
        parser.add_argument("--exit-when-done", action="store_true", help="end with the feed")

    def handle(self, **options: Any) -> None:
        """Run until told to end."""
        wish = Wish(
            data_dir=options["data_dir"],
            feed=options["feed"],
            speed=options["speed"],
            history=options["history"],
            symbol=options["symbol"],
            source_timezone=options["source_timezone"],
            port=options["port"],
            gateway_port=options["gateway_port"],
            workers=options["workers"],
            exit_when_done=options["exit_when_done"],
        )
        sys.exit(run(wish, Screen()))
