"""One PostgreSQL and one Valkey for the whole test session, up before Django reads its settings.

Loaded by `-p tests.servers` in pyproject.toml: pytest-django reads the settings before any
conftest.py runs. TEST_DATABASE_URL and TEST_REDIS_URL name other servers.

With xdist the controller starts PostgreSQL, in which pytest-django gives each worker a database of
its own. Each worker has a Valkey and a data directory of its own: tests empty all of Valkey.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from goldtrader.stack.processes import process
from goldtrader.stack.servers import postgres, valkey


class Servers:
    """What this process started, and how it ends."""

    def __init__(self) -> None:
        # A password of this session alone: a server of another one must not be taken for ours.
        self._password = secrets.token_hex()
        self._home: Path | None = None
        self._database: process.Running | None = None
        self._store: process.Running | None = None

    def start(self) -> None:
        """Start both and point the environment at them, and at nothing of the developer's own."""
        home = self._make_home(Path(tempfile.gettempdir()))
        os.environ |= {
            "SECRET_KEY": "tests-only-" + "k" * 50,
            "CONNECTOR_JWT_KEYS": "tests:" + "j" * 43,
            "TELEGRAM_BOT_TOKEN": "",
        }
        if "TEST_DATABASE_URL" in os.environ:
            os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
        else:
            self._start_postgres(home)
        if "TEST_REDIS_URL" in os.environ:
            os.environ["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
        else:
            self._start_valkey(home)

    def start_for_worker(self, number: int) -> None:
        """Start what a worker of xdist does not share; the controller has started the rest."""
        home = self._make_home(Path(os.environ["DATA_DIR"]))
        if "TEST_REDIS_URL" in os.environ:
            url = os.environ["TEST_REDIS_URL"]
            os.environ["REDIS_URL"] = f"{url.rpartition('/')[0]}/{number}"
        else:
            self._start_valkey(home)

    def stop(self) -> None:
        """End what was started and delete its data."""
        if self._store is not None:
            valkey.stop(self._store)
        if self._database is not None:
            postgres.stop(self._database)
        if self._home is not None:
            postgres.remove(self._home)
            shutil.rmtree(self._home, ignore_errors=True)
        self._home = self._database = self._store = None

    def _make_home(self, parent: Path) -> Path:
        # A session that is asked to end must still end its servers.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._home = home = Path(tempfile.mkdtemp(prefix="goldtrader-tests-", dir=parent))
        data_dir = home / "data"
        for directory in (home, data_dir):
            directory.mkdir(exist_ok=True)
            # Started by root, PostgreSQL runs as another account, which must get through here.
            directory.chmod(0o711)
        os.environ["DATA_DIR"] = str(data_dir)
        return home

    def _start_postgres(self, home: Path) -> None:
        started = postgres.start(
            postgres.home_of(home),
            log=home / "postgres.log",
            password=self._password,
            durability=postgres.THROWN_AWAY,
        )
        self._database = started.server
        os.environ["DATABASE_URL"] = started.url

    def _start_valkey(self, home: Path) -> None:
        started = valkey.start(
            home=home / "valkey", log=home / "valkey.log", password=self._password, durable=False
        )
        self._store = started.server
        os.environ["REDIS_URL"] = started.url


_SERVERS = Servers()


# A wrapper comes before pytest-django's own hook, which reads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        _SERVERS.start_for_worker(int(worker.removeprefix("gw")) + 1)
    elif not early_config.known_args_namespace.collectonly:
        _SERVERS.start()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _SERVERS.stop()
