"""Whether a disk is full, which what fails for lack of room seldom says itself."""

import os
from pathlib import Path

#: Less than this is no room: a database writes in larger pieces.
_LEAST_BYTES = 1_000_000


def is_full(path: Path) -> bool:
    """Whether the disk that holds ``path`` has no room left for this account."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_BYTES
