"""Why a decision makes no signal."""

from dataclasses import dataclass
from enum import StrEnum


class RefusalReason(StrEnum):
    """The reason as programs read it.

    docs/domain/confluence.md, "The decision", says when each holds.
    """

    WARMING_UP = "WARMING_UP"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    CONFLICTING = "CONFLICTING"
    ENTRY_TOO_LATE = "ENTRY_TOO_LATE"
    MARKET_CLOSED = "MARKET_CLOSED"
    NEAR_WEEKLY_CLOSE = "NEAR_WEEKLY_CLOSE"
    SPREAD_TOO_WIDE = "SPREAD_TOO_WIDE"
    TOO_MANY_TRADES = "TOO_MANY_TRADES"
    COOLING_DOWN = "COOLING_DOWN"
    DAILY_LOSS = "DAILY_LOSS"
    NO_STRUCTURE = "NO_STRUCTURE"
    RISK_BELOW_SPREADS = "RISK_BELOW_SPREADS"
    RISK_TOO_LARGE = "RISK_TOO_LARGE"
    ZONE_TRADED = "ZONE_TRADED"
    NO_RATE = "NO_RATE"
    BELOW_MINIMUM_LOT = "BELOW_MINIMUM_LOT"


class LiveReason(StrEnum):
    """The reasons beside the rules' own, for closes that are decided to be stored.

    A backtest knows neither an operator nor a database that refuses.
    """

    INSTRUMENT_OFF = "INSTRUMENT_OFF"
    DECISION_NOT_STORED = "DECISION_NOT_STORED"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no signal: a code for programs, a sentence for people."""

    reason: RefusalReason
    text: str
