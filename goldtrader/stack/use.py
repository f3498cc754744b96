"""Opens the database of a data directory for one command, whether its stack runs or not."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import psutil
from django.db import connections

from goldtrader.stack import keys
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.errors import StackError
from goldtrader.stack.servers import postgres
from signals_app.management.database import NoDatabase
from signals_app.management.hints import manage_py

_WAIT_SECONDS = 30.0


@contextlib.contextmanager
def open_database_of(data_dir: Path, *, by: str) -> Iterator[None]:
    """Do what `use_data_dir` does, as the commands' `DatabaseOpener`: refuse by `NoDatabase`."""
    try:
        with use_data_dir(data_dir, by=by):
            yield
    except StackError as error:
        raise NoDatabase(str(error)) from None


@contextlib.contextmanager
def use_data_dir(path: Path, *, by: str = "another command") -> Iterator[None]:
    """Point Django at the database of the data directory ``path``, starting it if it is not up.

    What was started is stopped again. A DATABASE_URL in the environment is obeyed instead. Raises
    `StackError` where there is no database; ``by`` names the caller to one who has to wait.
    """
    if "DATABASE_URL" in os.environ:
        yield
        return
    data_dir = DataDir(path.expanduser().resolve())
    if not data_dir.keys.is_file():
        raise StackError(
            f"There is no stack's data in {path}; start one there first by "
            f"`{manage_py('stack', data_dir=data_dir.path)}`, or name another --data-dir."
        )
    with contextlib.ExitStack() as ending:
        database_url = _running_url(data_dir, ending, by=by)
        if database_url is None:
            database_url = _start(data_dir, ending)
        _point_django_at(database_url)
        ending.callback(connections.close_all)
        yield


def _running_url(data_dir: DataDir, ending: contextlib.ExitStack, *, by: str) -> str | None:
    """Where the running stack's database is; None once we hold the directory ourselves."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            ending.enter_context(data_dir.held(by=by))
        except StackError:
            url = _url_of_running_stack(data_dir)
            if url is not None:
                return url
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return None


def _url_of_running_stack(data_dir: DataDir) -> str | None:
    try:
        written = json.loads(data_dir.settings.read_text())
        is_running = psutil.pid_exists(written["pid"])
        return str(written["database_url"]) if is_running else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _start(data_dir: DataDir, ending: contextlib.ExitStack) -> str:
    data_dir.prepare()
    password = keys.load_or_generate(data_dir).database_password
    home = postgres.home_of(data_dir.path)
    database = postgres.start(home, log=data_dir.logs / "postgres.log", password=password)
    ending.callback(postgres.stop, database.server)
    return database.url


def _point_django_at(database_url: str) -> None:
    connections.close_all()
    address = environ.Env.db_url_config(database_url)
    connections.settings["default"].update(address)
    connections["default"].settings_dict.update(address)
