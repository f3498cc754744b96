"""The database and the Redis of a stack: its own, or those that the environment names."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.keys import Keys
from goldtrader.stack.processes import logs
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import Screen
from goldtrader.stack.servers import postgres, readiness, valkey

#: The children that are ended last, since all others need them.
NAMES = ("postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Stores:
    """Where database and Redis are: as URLs, and in words without their passwords."""

    database_url: str
    redis_url: str
    database_place: str
    redis_place: str


def start_stores(
    data_dir: DataDir, secrets: Keys, supervisor: Supervisor, screen: Screen
) -> Stores:
    """Start those that DATABASE_URL and REDIS_URL do not name, and check that both answer."""
    redis_url = os.environ.get("REDIS_URL", "")
    redis_place = _named(redis_url)
    if not redis_url:
        redis_url = _start_valkey(data_dir, secrets, supervisor, screen)
        redis_place = f"Valkey in {data_dir.valkey}"
    database_url = os.environ.get("DATABASE_URL", "")
    database_place = _named(database_url)
    if not database_url:
        database_url, home = _start_postgres(data_dir, secrets, supervisor, screen)
        database_place = f"PostgreSQL in {home}"
    readiness.require_redis(redis_url)
    readiness.require_database(database_url)
    return Stores(database_url, redis_url, database_place, redis_place)


def _start_valkey(data_dir: DataDir, secrets: Keys, supervisor: Supervisor, screen: Screen) -> str:
    log = supervisor.log_of("valkey")
    logs.rotate(log)
    store = valkey.start(home=data_dir.valkey, log=log, password=secrets.redis_password)
    supervisor.adopt(store.program, store.server)
    screen.step("Valkey is up")
    return store.url


def _start_postgres(
    data_dir: DataDir, secrets: Keys, supervisor: Supervisor, screen: Screen
) -> tuple[str, Path]:
    log = supervisor.log_of("postgres")
    logs.rotate(log)
    home = postgres.home_of(data_dir.path)
    supervisor.watch_disk(home.path)
    database = postgres.start(home, log=log, password=secrets.database_password)
    supervisor.adopt(database.program, database.server)
    screen.step(f"PostgreSQL {home.binaries.version} is up")
    return database.url, home.path


def _named(url: str) -> str:
    """Where a server is that the user named, without the password that its URL may hold."""
    address = urlsplit(url)
    return f"{address.hostname}:{address.port or 'the usual port'}{address.path}, as you named it"
