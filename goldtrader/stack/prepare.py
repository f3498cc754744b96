"""Prepares a database for the stack: tables, the first login, the connector's key, history."""

import dataclasses
import secrets
import sys
from functools import partial

from goldtrader.stack import keys as stored
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.history import HistoryFile, shorter_first
from goldtrader.stack.processes.children import CONNECTOR_NAME
from goldtrader.stack.processes.fork import run_to_end
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.schema import is_current, note_current
from goldtrader.stack.screen import Screen


def prepare_if_needed(
    data_dir: DataDir,
    database_url: str,
    history: tuple[HistoryFile, ...],
    supervisor: Supervisor,
    screen: Screen,
) -> None:
    """Migrate and import history, unless the database is current and there is none to import."""
    has_key = bool(stored.load_or_generate(data_dir).connector_api_key)
    if has_key and not history and is_current(database_url):
        return
    run_to_end("prepare", partial(_prepare, data_dir), log=supervisor.log_of("prepare"))
    for file in shorter_first(history):
        run_to_end("import", partial(_import, file), log=supervisor.log_of("import"))
    screen.step("The database is prepared")


def _prepare(data_dir: DataDir) -> None:
    """Prepare the database that Django's settings name; safe to repeat."""
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
        name=CONNECTOR_NAME, scope=ApiKey.Scope.CONNECTOR, symbols=symbols
    )
    stored.save(data_dir, dataclasses.replace(keys, connector_api_key=key))


def _import(file: HistoryFile) -> None:
    from django.core.management import call_command

    from signals_app.services.price_history import instruments_by_symbol

    if file.symbol not in instruments_by_symbol():
        # A directory may hold more markets than are traded.
        sys.stdout.write(f"{file.path} is left out: no instrument is called {file.symbol}\n")
        return
    call_command(
        "import_history",
        str(file.path),
        symbol=file.symbol,
        timeframe=file.timeframe,
        source_timezone=file.source_timezone,
    )
