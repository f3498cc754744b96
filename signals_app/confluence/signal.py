"""A signal: a trade that a trader can take now."""

from dataclasses import dataclass
from decimal import Decimal

from signals_app.market.calendar import utc
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument


@dataclass(frozen=True, slots=True)
class TradingSignal:
    """A trade to take now. Prices are on the grid, `position_size` is in lots.

    `timestamp_ms` is the candle's close that it was decided on; `entry_ordinal` and
    `entry_time_ms` are the tick that it is entered at. `confidence_score` is 0..100.
    """

    signal_id: str
    instrument: str
    direction: Direction
    entry_price: float
    stop_loss: float
    take_profit_1: float
    take_profit_2: float
    risk_reward_ratio: float
    position_size: Decimal
    risk_percentage: float
    setup_type: str
    market_structure: str
    confluence_factors: tuple[str, ...]
    confidence_score: float
    h4_context: str
    h1_context: str
    m15_context: str
    timestamp_ms: int
    session: str
    zone_top: float
    zone_bottom: float
    entry_time_ms: int
    entry_ordinal: int


def signal_id(instrument: Instrument, close_time_ms: int, number_of_the_day: int) -> str:
    """Prefix, UTC date of the candle's close, running number of the day: XAU_20240105_001."""
    return f"{instrument.signal_prefix}_{utc(close_time_ms):%Y%m%d}_{number_of_the_day:03d}"
