"""Opens the spool, and puts a damaged one aside: at the start, and while the connector runs.

A file that lost power or disk blocks at the wrong moment must not keep the connector down: what the
server lacks is known by the server, and is in the terminal's history.
"""

import logging
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import FILE_NAME, SpoolDamagedError

log = logging.getLogger("mt5_bridge")

_KEPT: Final = 3
"""Damaged files that are kept to look at: a disk that goes on failing must not fill itself."""
_BESIDE: Final = ("-wal", "-shm")


def open_spool(directory: Path) -> Spool:
    """Open the spool in ``directory``, a new one where that is damaged; raises `SpoolError`."""
    path = directory / FILE_NAME
    if path.is_file() and (damage := _damage(path)):
        put_aside(directory, damage)
    try:
        return Spool(directory)
    except SpoolDamagedError as error:
        put_aside(directory, str(error))
        return Spool(directory)


def put_aside(directory: Path, damage: str) -> None:
    """Keep the damaged file, which nobody has open, under another name.

    Only the newest three are kept.
    """
    path = directory / FILE_NAME
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    with suppress(OSError):
        path.rename(aside)
    for ending in _BESIDE:
        # They belong to the damaged file, and would be taken for the new one's.
        with suppress(OSError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    _delete_old(path)
    log.error(
        "the spool %s is damaged (%s): it is kept as %s, and a new one is filled from where "
        "the server is",
        path, damage, aside.name,
    )  # fmt: skip


def _damage(path: Path) -> str:
    """What is wrong with the file; empty where nothing is, or where it cannot be read now."""
    try:
        with closing(sqlite3.connect(path, timeout=2)) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == ("ok",) else str(found[0])


def _delete_old(path: Path) -> None:
    files = path.parent.glob(f"{path.name}.damaged-*")
    kept = sorted(file for file in files if not file.name.endswith(_BESIDE))
    for file in kept[:-_KEPT]:
        for ending in ("", *_BESIDE):
            with suppress(OSError):
                file.with_name(file.name + ending).unlink(missing_ok=True)
