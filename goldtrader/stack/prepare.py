"""Brings a database up for the stack: tables, the first login, the connector's key."""

import dataclasses
import secrets

from goldtrader.stack import keys as stored
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.schema import note_current


def prepare(data_dir: DataDir) -> None:
    """Prepare the database that Django's settings name; safe to repeat. Django must be loaded."""
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=1)
    _make_first_login(data_dir)
    _make_connector_key(data_dir)
    note_current(settings.DATABASE_URL)


def _make_first_login(data_dir: DataDir) -> None:
    from django.contrib.auth import get_user_model

    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return
    keys = stored.load_or_generate(data_dir)
    password = keys.admin_password or secrets.token_urlsafe(9)
    # Saved before the user is made: a login that nobody knows would be worse than none.
    stored.save(data_dir, dataclasses.replace(keys, admin_password=password))
    users.objects.create_superuser("admin", "", password)


def _make_connector_key(data_dir: DataDir) -> None:
    from goldtrader.models import ApiKey
    from signals_app.models import Instrument

    keys = stored.load_or_generate(data_dir)
    if keys.connector_api_key and ApiKey.objects.is_valid(keys.connector_api_key):
        return
    symbols = list(Instrument.objects.order_by("symbol").values_list("symbol", flat=True))
    _, key = ApiKey.objects.create_key(
        name="embedded", scope=ApiKey.Scope.CONNECTOR, symbols=symbols
    )
    stored.save(data_dir, dataclasses.replace(keys, connector_api_key=key))
