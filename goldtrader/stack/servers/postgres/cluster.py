"""Makes a cluster with `initdb`, whole or not at all, and refuses one of another version."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs, process
from goldtrader.stack.servers.postgres.binaries import Binaries
from goldtrader.stack.servers.postgres.home import ClusterHome


def ensure(home: ClusterHome, *, superuser: str, password: str, log: Path) -> None:
    """Make the cluster unless there is one; raises `StackError` for one of another version."""
    if not home.cluster.is_dir():
        _create(home, superuser=superuser, password=password, log=log)
    made_by = (home.cluster / "PG_VERSION").read_text().strip()
    if made_by != str(home.binaries.major):
        raise StackError(
            f"The database in {home.cluster} was made by PostgreSQL {made_by} and this is "
            f"{home.binaries.version}: set DATABASE_URL to a server of version {made_by}, "
            "or choose another --data-dir."
        )


def _create(home: ClusterHome, *, superuser: str, password: str, log: Path) -> None:
    unfinished = home.path / "cluster-unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    with _password_file(home, password) as password_file:
        command = (
            str(home.binaries.directory / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={superuser}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
            *_locale(home.binaries),
        )
        initdb = process.Program("initdb", command, directory=home.path, account=home.account)
        if initdb.start(log).wait() != 0:
            raise StackError(f"initdb failed; its log {log} ends:\n{logs.tail(log)}")
    # From here on the cluster counts as whole: an interrupted initdb is begun again.
    unfinished.rename(home.cluster)


def _locale(binaries: Binaries) -> list[str]:
    # The same order on every machine; the wheel is built without ICU.
    if binaries.major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


@contextlib.contextmanager
def _password_file(home: ClusterHome, password: str) -> Iterator[Path]:
    path = home.path / "password"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(password)
    try:
        if home.account is not None:
            os.chown(path, home.account.uid, home.account.gid)
        yield path
    finally:
        path.unlink()
