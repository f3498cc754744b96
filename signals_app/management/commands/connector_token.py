"""`manage.py connector_token NAME --symbols S[,S]`: a token that lets a connector in for a day."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from signals_app.connector_names import CONNECTOR_NAME, NAME_RULE
from signals_app.gateway import tokens
from signals_app.market.built_in import BUILT_IN
from signals_app.market.symbols import UnknownSymbol, listed_symbols
from signals_app.models import Instrument
from signals_app.services.connectors import note_token, set_symbols


class Command(BaseCommand):
    """Creates or changes the connector, and prints the token alone on the last line."""

    help = "print a token for a connector; it is valid for 24 hours"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the connector's name and its symbols."""
        parser.add_argument("name", help="the connector, e.g. mt5-primary")
        parser.add_argument("--symbols", required=True, help="e.g. XAUUSD or XAUUSD,EURUSD")
        parser.add_argument(
            "--hours", type=float, default=24.0, help="how long it is valid, at most 24"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the token; a revoked connector gets none."""
        name = options["name"].strip()
        if not CONNECTOR_NAME.fullmatch(name):
            raise CommandError(f"{name!r} is no name: {NAME_RULE}", returncode=2)
        try:
            symbols = listed_symbols(options["symbols"])
        except UnknownSymbol as error:
            raise CommandError(str(error), returncode=2) from None
        if not 0 < options["hours"] <= 24:
            raise CommandError(
                "a token is valid for more than 0 and at most 24 hours", returncode=2
            )
        try:
            keys = tokens.SigningKeys.parse(settings.CONNECTOR_JWT_KEYS)
            connector = set_symbols(name, symbols)
            known = list(Instrument.objects.values_list("symbol", flat=True))
        except tokens.BadKeys as error:
            raise CommandError(str(error), returncode=2) from None
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"the database does not answer: {reason}", returncode=2) from None
        if connector.is_revoked:
            raise CommandError(f"connector {name} is revoked; see the admin", returncode=2)
        note_token(connector, symbols)
        lifetime = round(options["hours"] * 3600)
        self.stderr.write(f"connector {name} may send {', '.join(symbols)}")
        for symbol in sorted(set(symbols) - set(known) - set(BUILT_IN)):
            self.stderr.write(f"{symbol} is no instrument yet: add it in the admin first")
        self.stdout.write(
            tokens.issue(keys, name, symbols, now=int(time.time()), lifetime=lifetime)
        )
