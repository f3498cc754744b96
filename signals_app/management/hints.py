"""Commands as they are printed to people: they work as they stand, from any directory."""

import shlex
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def manage_py(*arguments: str, data_dir: Path | None = None) -> str:
    """A command line of `manage.py` for the data directory (`None`: a command that needs none)."""
    line = [sys.executable, str(_ROOT / "manage.py"), *arguments]
    if data_dir is not None and data_dir != _ROOT / "var":
        line += ["--data-dir", str(data_dir)]
    return shlex.join(line)
