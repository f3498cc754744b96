"""`manage.py connector_config NAME --symbols S[,S]`: what a connector on another machine needs."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from goldtrader.models import ApiKey
from goldtrader.stack.connector_zip import write_zip
from goldtrader.stack.remote_connector import RemoteConnector, RemoteConnectorError, describe
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.services.connectors import widen


class Command(BaseCommand):
    """Makes a key for the connector and prints its whole `mt5_bridge.toml`."""

    help = "Print a complete mt5_bridge.toml, with a new key and the certificate, for a connector."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the connector's name, its symbols, and how this server is reached."""
        parser.add_argument("name", help="the connector, e.g. mt5-london")
        parser.add_argument("--symbols", required=True, help="e.g. XAUUSD or XAUUSD,EURUSD")
        parser.add_argument(
            "--host", help="how the other machine reaches this one (default: GATEWAY_NAMES' first)"
        )
        parser.add_argument("--token-url", help="default https://HOST/api/v1/connectors/token")
        parser.add_argument(
            "--zip", type=Path, help="write everything for Windows into this file, without the key"
        )
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        directory, file = options["data_dir"], options["zip"]
        try:
            connector, authority = describe(
                options["name"],
                options["symbols"],
                host=options["host"],
                token_url=options["token_url"],
                directory=directory,
            )
            if file:
                write_zip(file, connector, settings.BASE_DIR)
        except RemoteConnectorError as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            sentence = f"{file} cannot be written: {error.strerror}; give another --zip"
            raise CommandError(sentence, returncode=2) from None
        with open_database(directory, by="connector_config"), transaction.atomic():
            widen(connector.name, connector.symbols)
            _, key = ApiKey.objects.create_key(
                name=connector.name,
                scope=ApiKey.Scope.CONNECTOR,
                symbols=sorted(connector.symbols),
            )
        if authority:
            self.stderr.write(f"The gateway's certificate is {authority}'s, which is not copied.")
        self._show(connector, key, file)

    def _show(self, connector: RemoteConnector, key: str, file: Path | None) -> None:
        if file:
            self.stderr.write(
                f"{file} holds everything but this key, which is not shown again: install.cmd asks "
                "for it on the other machine."
            )
            self.stdout.write(key)
            return
        self.stderr.write(
            "Save this as mt5_bridge.toml where the connector is started, readable by its account "
            "alone: it holds a key, which is not shown again. There, store-key moves the key into "
            "the keyring."
        )
        self.stdout.write(replace(connector, key=key).toml())
