"""How many settings were tried on a file: who tries many will find one that fits by chance."""

import json
import os
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from signals_app.confluence.parameters import Parameters


def count_variant(data_fingerprint: str, symbol: str, parameters: Parameters) -> int | None:
    """Note that these parameters are tried on the data; return how many different ones were.

    The count is kept for this user of this machine. `None` where it cannot be kept.
    """
    tried = json.dumps([symbol, asdict(parameters)], sort_keys=True)
    digest = sha256(tried.encode()).hexdigest()
    try:
        path = _directory() / data_fingerprint
        path.parent.mkdir(parents=True, exist_ok=True)
        known = set(path.read_text().split()) if path.exists() else set()
        if digest not in known:
            # One short line appended at once: two backtests at a time lose nothing.
            with path.open("a") as file:
                file.write(f"{digest}\n")
        return len(known | {digest})
    except OSError:
        return None


def _directory() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "goldtrader" / "variants"
