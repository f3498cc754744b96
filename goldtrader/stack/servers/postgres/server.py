"""Starts and stops the server of a cluster."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from goldtrader.stack import ports
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs, process
from goldtrader.stack.servers.postgres import cluster
from goldtrader.stack.servers.postgres.home import ClusterHome

#: The role and the database that the product uses in its own cluster.
NAME = "goldtrader"

#: After a crash it goes through what it had not written to its tables yet.
_START_SECONDS = 600.0
#: So long sessions of a server that was killed may take to notice.
_DYING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server, what started it, and the URL of the product's database in it."""

    program: process.Program
    server: process.Running
    url: str


@dataclass(frozen=True, slots=True)
class Durability:
    """Server settings: everything on disk for work, nothing forced to disk for tests."""

    settings: Mapping[str, str] = field(default_factory=dict)


DURABLE = Durability()
THROWN_AWAY = Durability(
    {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
)


def start(
    home: ClusterHome, *, log: Path, password: str, durability: Durability = DURABLE
) -> Postgres:
    """Start the server on a free loopback port, its database made, and return when it answers.

    A server that a killed stack left on this cluster is ended first.
    """
    stop_left_over(home)
    cluster.ensure(home, superuser=NAME, password=password, log=log)
    deadline = time.monotonic() + _DYING_SECONDS
    while True:
        port = ports.choose_free()
        program = _program(home, port=port, durability=durability)
        server = program.start(log)
        if _is_ready(home, server):
            url = f"postgres://{NAME}:{password}@{ports.LOOPBACK}:{port}/{NAME}"
            _create_database(url)
            return Postgres(program=program, server=server, url=url)
        stop(server)
        # The port, which another program took meanwhile, or memory that sessions of a killed
        # server still have open.
        if "in use" not in logs.tail(log, 20) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    raise StackError(f"PostgreSQL did not start; its log {log} ends:\n{logs.tail(log)}")


def stop(server: process.Running) -> None:
    """End the server and its sessions; what was committed is kept."""
    process.stop(server, by=signal.SIGINT, grace_seconds=8.0)


def stop_left_over(home: ClusterHome) -> None:
    """End a server that a killed stack left on this cluster, so that the cluster can be opened.

    A process that only has the number in the cluster's `postmaster.pid` is left alone, and the
    file removed: PostgreSQL would refuse to start beside it.
    """
    pid_file = home.cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    if not _serves(pid, home.cluster):
        pid_file.unlink(missing_ok=True)
        return
    # The fast shutdown, the immediate one, and none at all.
    for by, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 1.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, by)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _serves(pid, home.cluster):
                return
            time.sleep(0.05)


def _serves(pid: int, cluster: Path) -> bool:
    """Whether this process is the server of the cluster, in whose directory it works."""
    try:
        found = psutil.Process(pid)
        return "postgres" in found.name() and Path(found.cwd()) == cluster.resolve()
    except psutil.Error:
        # Gone, or another account's, which cannot have opened a cluster of ours.
        return False


def _program(home: ClusterHome, *, port: int, durability: Durability) -> process.Program:
    settings = {
        "listen_addresses": ports.LOOPBACK,
        "port": str(port),
        # Loopback with a password needs no directory that both accounts can enter.
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **durability.settings,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return process.Program(
        name="postgres",
        command=(str(home.binaries.directory / "postgres"), "-D", str(home.cluster), *options),
        directory=home.path,
        account=home.account,
        # The fast shutdown; SIGTERM would wait for every session to leave.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
    )


def _is_ready(home: ClusterHome, server: process.Running) -> bool:
    """Wait until the server says in its own pid file that it takes sessions."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError, IndexError):
            written = (home.cluster / "postmaster.pid").read_text().splitlines()
            if written[0] == str(server.pid) and written[7].strip() == "ready":
                return True
        time.sleep(0.01)
    return False


def _create_database(url: str) -> None:
    import psycopg  # here: it costs more than all the rest of this module

    maintenance = f"{url.rpartition('/')[0]}/postgres"
    with psycopg.connect(maintenance, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {NAME}")
