"""The hash chain of signals: each link is the SHA-256 of the one before and of what it covers.

Nothing here depends on when or by which worker something was written, so the same ticks give the
same links.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from signals_app.confluence.signal import TradingSignal
from signals_app.market.encoding import as_json

#: What stands before the first link.
BEGINNING = ""
#: What of a signal is covered. The list never changes: old links must hold for ever.
_COVERED = (
    "signal_id",
    "instrument",
    "direction",
    "entry_price",
    "stop_loss",
    "take_profit_1",
    "take_profit_2",
    "risk_reward_ratio",
    "position_size",
    "risk_percentage",
    "setup_type",
    "market_structure",
    "confluence_factors",
    "confidence_score",
    "h4_context",
    "h1_context",
    "m15_context",
    "timestamp",
    "session",
    "zone_top",
    "zone_bottom",
    "entry_time",
    "entry_ordinal",
)


def signal_link(previous: str, signal: TradingSignal) -> str:
    """A signal's link behind the one of its instrument's signal before."""
    printed = as_json(signal)
    return link(previous, {name: printed[name] for name in _COVERED})


def link(previous: str, content: Mapping[str, Any]) -> str:
    """The SHA-256, in hexadecimal, of a link and of canonical JSON behind a line break.

    Canonical: keys in order, no spaces, ASCII, numbers in their shortest form.
    """
    canonical = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(f"{previous}\n{canonical}".encode("ascii")).hexdigest()
