"""A signal as the architecture shows it, and ticks for its trade."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from signals_app.confluence.signal import TradingSignal
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.market.tick import Tick, Ticks

GOLD = DEFAULT_INSTRUMENTS[0]
#: 2024-01-05 14:30:00 UTC, a Friday.
CLOSE_MS = 1_704_465_000_000

SIGNAL = TradingSignal(
    signal_id="XAU_20240105_001",
    instrument="XAUUSD",
    direction=Direction.BUY,
    entry_price=2045.5,
    stop_loss=2040.0,
    take_profit_1=2055.0,
    take_profit_2=2065.0,
    risk_reward_ratio=3.55,
    position_size=Decimal("0.50"),
    risk_percentage=1.0,
    setup_type="FVG+OB",
    market_structure="BOS",
    confluence_factors=("Bullish FVG at 2,043-2,046", "Liquidity sweep below 2,040 completed"),
    confidence_score=85.0,
    h4_context="H4 up",
    h1_context="H1 up",
    m15_context="M15 up",
    timestamp_ms=CLOSE_MS,
    session="NY_OVERLAP",
    zone_top=2046.0,
    zone_bottom=2043.0,
    entry_ordinal=10,
    entry_time_ms=CLOSE_MS + 400,
)
ENTRY = Tick(10, CLOSE_MS + 400, 2045.3, 2045.5)
SELL_SIGNAL = replace(
    SIGNAL,
    direction=Direction.SELL,
    stop_loss=2051.0,
    take_profit_1=2036.0,
    take_profit_2=2026.0,
)


def bids(*prices: float, first_ordinal: int = 11) -> Ticks:
    """Return ticks one second apart behind the entry, with a spread of 0.2."""
    times = CLOSE_MS + 1000 * np.arange(1, len(prices) + 1, dtype=np.int64)
    return Ticks(first_ordinal, times, np.array(prices), np.array(prices) + 0.2)
