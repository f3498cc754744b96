"""`manage.py stack`: everything up in one terminal. manage.py itself runs it, without Django."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from goldtrader.stack.command import add_options
from goldtrader.stack.processes.children import ROOT


class Command(BaseCommand):
    """Lists the command beside the others; whoever calls it through Django is sent to manage.py."""

    help = "Starts database, Redis, gateway, workers, web and a feed; Ctrl-C ends all of them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_options(parser)

    def handle(self, **_options: Any) -> None:
        """Start manage.py again: settings must not be loaded before the stack has chosen them."""
        os.execv(  # noqa: S606 - our own interpreter and manage.py
            sys.executable, [sys.executable, str(ROOT / "manage.py"), "stack", *sys.argv[2:]]
        )
