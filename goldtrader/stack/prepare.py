"""Brings a database up for the stack: tables, price history, first login, the connector's key.

A process of its own, since Django must be loaded with the addresses that the stack chose.
"""

import argparse
import dataclasses
import secrets
import sys
from pathlib import Path

import django


def main() -> int:
    """Prepare the database that the environment names; safe to repeat."""
    options = argparse.ArgumentParser()
    options.add_argument("--history", type=Path, action="append", default=[])
    options.add_argument("--symbol", action="append", default=[])
    options.add_argument("--timeframe", action="append", default=[])
    wanted = options.parse_args()
    django.setup()
    _migrate()
    _first_login_and_connector_key()
    _note_current()
    for path, symbol, timeframe in zip(
        wanted.history, wanted.symbol, wanted.timeframe, strict=True
    ):
        _import(path, symbol, timeframe)
    return 0


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=1)


def _first_login_and_connector_key() -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from goldtrader.models import ApiKey
    from goldtrader.stack.data_dir import DataDir
    from goldtrader.stack.keys import load_or_generate, save
    from signals_app.models import Instrument

    data_dir = DataDir(settings.DATA_DIR)
    keys = load_or_generate(data_dir)
    users = get_user_model()
    if not users.objects.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(9)
        # Saved before the user is made: a login that nobody knows would be worse than none.
        keys = dataclasses.replace(keys, admin_password=password)
        save(data_dir, keys)
        users.objects.create_superuser("admin", "", password)
    if not (keys.connector_api_key and ApiKey.objects.is_valid(keys.connector_api_key)):
        symbols = list(Instrument.objects.order_by("symbol").values_list("symbol", flat=True))
        _, key = ApiKey.objects.create_key(
            name="embedded", scope=ApiKey.Scope.CONNECTOR, symbols=symbols
        )
        save(data_dir, dataclasses.replace(keys, connector_api_key=key))


def _note_current() -> None:
    from django.conf import settings

    from goldtrader.stack.schema import note_current

    note_current(settings.DATABASE_URL)


def _import(path: Path, symbol: str, timeframe: str) -> None:
    from django.core.management import call_command

    call_command("import_history", str(path), symbol=symbol, timeframe=timeframe)


if __name__ == "__main__":
    sys.exit(main())
