"""`manage.py api_key`: a new key for the API, printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from goldtrader.models import ApiKey
from signals_app.connector_names import CONNECTOR_NAME, LONGEST_NAME, NAME_RULE
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.symbols import UnknownSymbol, listed_symbols
from signals_app.services.connectors import widen


class Command(BaseCommand):
    """Makes a key; only its hash is kept."""

    help = "Make an API key and print it, once, alone on the last line."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the key's name and what it may do."""
        parser.add_argument("name", help="whose key it is; a connector's key has its name")
        parser.add_argument(
            "--scope",
            choices=[str(scope) for scope in ApiKey.Scope.values],
            default=ApiKey.Scope.READ.value,
            help="read (default), admin (read and change) or connector (get its tokens)",
        )
        parser.add_argument(
            "--symbols", default="", help="connector keys: what it may send, for example XAUUSD"
        )
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        name, scope = options["name"].strip(), options["scope"]
        if not 1 <= len(name) <= LONGEST_NAME:
            raise CommandError(f"A key's name has 1 to {LONGEST_NAME} letters.", returncode=2)
        is_connectors = scope == ApiKey.Scope.CONNECTOR
        if is_connectors != bool(options["symbols"].strip()):
            raise CommandError(
                "--symbols belongs to --scope connector, and that needs it.", returncode=2
            )
        if is_connectors and not CONNECTOR_NAME.fullmatch(name):
            raise CommandError(f"{name!r} is no connector's name: {NAME_RULE}", returncode=2)
        try:
            symbols = sorted(listed_symbols(options["symbols"])) if is_connectors else []
        except UnknownSymbol as error:
            raise CommandError(str(error), returncode=2) from None
        with open_database(options["data_dir"], by="api_key"), transaction.atomic():
            _, key = ApiKey.objects.create_key(name=name, scope=scope, symbols=symbols)
            if is_connectors:
                widen(name, symbols)
        self.stderr.write(f"A key of scope {scope} for {name}. It is not shown again:")
        self.stdout.write(key)
