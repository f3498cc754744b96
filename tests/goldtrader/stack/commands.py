"""`manage.py` in a process of its own, as a person at a terminal would start it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.paths import ROOT
from tests.ports import free_port

#: What only the test session itself may find in the environment.
_OURS = (
    *("DATABASE_URL", "REDIS_URL", "DATA_DIR", "SECRET_KEY", "CONNECTOR_JWT_KEYS"),
    *("GATEWAY_HOST", "GATEWAY_PORT", "DJANGO_SETTINGS_MODULE"),
)


def environment() -> dict[str, str]:
    """Return the environment without the test session's own servers and secrets.

    A command that is given no data directory finds none, and not the developer's own.
    """
    plain = {name: value for name, value in os.environ.items() if name not in _OURS}
    return plain | {"DATA_DIR": f"{os.environ['DATA_DIR']}-of-nobody"}


def run_python(*arguments: object, **added: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout to its end, with these variables added to the environment."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment() | added,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_hint(said: str, pattern: str, *typed: str) -> str:
    """Run a printed command as it stands, from elsewhere; give all that it prints.

    Whatever it asks for twice, as passwords are, is typed twice.
    """
    found = re.search(pattern, said)
    assert found is not None, said
    done = subprocess.run(
        found[1],
        shell=True,
        cwd="/",
        env=environment(),
        input="".join(f"{each}\n{each}\n" for each in typed),
        capture_output=True,
        text=True,
        timeout=120,
        # Without a terminal of its own, passwords are read from here.
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def manage(*arguments: object) -> str:
    """Return what a command of `manage.py` prints; it must succeed."""
    done = run_python("manage.py", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def export(data_dir: Path) -> dict[str, Any]:
    """Return the signals and trades of a data directory."""
    exported: dict[str, Any] = json.loads(manage("export", "--data-dir", data_dir, "--json"))
    return exported


def count_events(data_dir: Path) -> int:
    """Return how many events of trades a running stack has stored, 0 while it does not answer.

    A question to the database, where a command would be a process that loads Django.
    """
    try:
        settings = json.loads((data_dir / "stack.json").read_text())
        with psycopg.connect(settings["database_url"]) as database:
            (count,) = database.execute("SELECT count(*) FROM trade_events").fetchone() or (0,)
    except (OSError, KeyError, psycopg.Error):
        return 0
    return int(count)


@contextmanager
def pipeline_held(data_dir: Path) -> Iterator[psycopg.Connection[Any]]:
    """Keep a stack, whose database is prepared, from storing a candle; yields what holds it."""
    settings = json.loads((data_dir / "stack.json").read_text())
    with psycopg.connect(settings["database_url"]) as holder:
        holder.execute("LOCK TABLE price_history IN SHARE MODE")
        yield holder


def run_stack(*arguments: str, data_dir: Path, **added: str) -> subprocess.CompletedProcess[str]:
    """Run a stack that is expected to end by itself, on free ports unless others are named."""
    ports = (f"--port={free_port()}", f"--gateway-port={free_port()}")
    return run_python("manage.py", "stack", "--data-dir", data_dir, *ports, *arguments, **added)


@dataclass
class StackProcess:
    """A started `manage.py stack` and all that it has printed."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int
    gateway_port: int
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str, seconds: float = 180.0) -> str:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.said()):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return self.said()

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(60)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def wait_until(is_so: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
