"""What `manage.py stack` was asked for, not checked yet."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The command's options; see `add_options` for what each means."""

    data_dir: Path
    feed: str = "simulated"
    speed: str | None = None
    history: Path | None = None
    symbol: str | None = None
    source_timezone: str = "utc"
    port: int = 8000
    gateway_port: int = 8765
    workers: int = 2
    exit_when_done: bool = False
