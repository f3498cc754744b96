"""How many settings were tried on a file: who tries many will find one that fits by chance."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from reports_app.backtest.market_files import Market, fingerprint
from signals_app.confluence.parameters import Parameters


def count_settings(market: Market, tried: Iterable[Parameters]) -> int | None:
    """Note these settings as tried on the market's file; return how many different ones ever were.

    The count is kept for this user of this machine, by the file's content. `None` where it cannot
    be kept. Raises `BadInput` where the file cannot be read.
    """
    path = _directory() / fingerprint(market.path)
    digests = dict.fromkeys(_digest(market.instrument.symbol, each) for each in tried)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        known = set(path.read_text().split()) if path.exists() else set()
        new = [digest for digest in digests if digest not in known]
        if new:
            # Appended at once: two backtests at a time lose nothing.
            with path.open("a") as file:
                file.write("".join(f"{digest}\n" for digest in new))
        return len(known.union(digests))
    except OSError:
        return None


def _digest(symbol: str, parameters: Parameters) -> str:
    tried = json.dumps([symbol, asdict(parameters)], sort_keys=True)
    return sha256(tried.encode()).hexdigest()


def _directory() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "goldtrader" / "variants"
