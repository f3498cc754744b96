"""One PostgreSQL and one Valkey for the whole test session, up before Django reads its settings.

Loaded by `-p tests.servers` in pyproject.toml: pytest-django reads the settings before any
conftest.py runs. With xdist the controller starts them and its workers inherit the addresses, each
with a Valkey database of its own. TEST_DATABASE_URL and TEST_REDIS_URL name other servers.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from goldtrader.stack.processes import process
from goldtrader.stack.servers import postgres, valkey

_STARTED = "GOLDTRADER_TEST_SERVERS"


class Servers:
    """What this process started, and how it ends."""

    def __init__(self) -> None:
        self.home: Path | None = None
        self.database: process.Running | None = None
        self.store: process.Running | None = None

    def start(self) -> None:
        """Start both and point the environment at them, and at nothing of the developer's own."""
        # A session that is asked to end must still end its servers.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self.home = Path(tempfile.mkdtemp(prefix="goldtrader-tests-"))
        # Started by root, PostgreSQL runs as another account, which must get through here.
        self.home.chmod(0o711)
        data_dir = self.home / "data"
        data_dir.mkdir(mode=0o711)
        os.environ |= {
            "DATA_DIR": str(data_dir),
            "SECRET_KEY": "tests-only-" + "k" * 50,
            "CONNECTOR_JWT_KEYS": "tests:" + "j" * 43,
            "TELEGRAM_BOT_TOKEN": "",
            _STARTED: "1",
        }
        if "TEST_DATABASE_URL" in os.environ:
            os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
        else:
            home = postgres.home_of(self.home)
            database = postgres.start(
                home,
                log=self.home / "postgres.log",
                password="tests",
                durability=postgres.THROWN_AWAY,
            )
            self.database = database.server
            os.environ["DATABASE_URL"] = database.url
        if "TEST_REDIS_URL" in os.environ:
            os.environ["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
        else:
            store = valkey.start(
                home=self.home / "valkey",
                log=self.home / "valkey.log",
                password="tests",
                durable=False,
            )
            self.store = store.server
            os.environ["REDIS_URL"] = store.url

    def stop(self) -> None:
        """End what was started and delete its data."""
        if self.store is not None:
            valkey.stop(self.store)
        if self.database is not None:
            postgres.stop(self.database)
        if self.home is not None:
            postgres.remove(self.home)
            shutil.rmtree(self.home, ignore_errors=True)
        self.home = self.database = self.store = None


_SERVERS = Servers()


# A wrapper comes before pytest-django's own hook, which reads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"
    elif not early_config.known_args_namespace.collectonly:
        _SERVERS.start()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _SERVERS.stop()
