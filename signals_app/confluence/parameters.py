"""Every number a trader may change about signals and trades, in one value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """The settings of one strategy. The defaults are documented in docs/domain/confluence.md.

    Distances called `..._atr` are multiples of the average true range that their comment names;
    `..._r` are multiples of the trade's own risk (entry to stop).
    """

    # What is taken.
    #: A score from here on (0..100) makes a signal.
    threshold: float = 80.0
    #: Candles of M15, H1 and H4 that must be there before anything is decided.
    warm_up_candles: int = 50
    #: The entry tick may come at most so long after the candle's close.
    maximum_entry_delay_ms: int = 900_000

    # Stop and targets.
    #: Share of M15's average true range put between the structure and the stop.
    stop_buffer_atr: float = 0.5
    #: The stop is never nearer to the entry than this many M15 average true ranges.
    minimum_risk_atr: float = 1.5
    #: Refused where the stop would be further away than this many H1 average true ranges.
    maximum_risk_atr: float = 3.0
    #: Refused where the risk is less than this many spreads.
    minimum_risk_spreads: float = 5.0
    #: Share of M15's average true range that a target stays before an opposing pool.
    target_buffer_atr: float = 0.05
    #: The first target is the nearest pool at least so far away, else it stands exactly here.
    take_profit_1_r: float = 1.0
    #: The second target where no pool stands between the two limits below.
    take_profit_2_r: float = 2.5
    #: The second target is at least this far.
    minimum_risk_reward: float = 2.0
    #: A pool further away than this is no target.
    maximum_risk_reward: float = 5.0

    # Size.
    #: Percent of the balance that one trade may lose at its stop.
    risk_percentage: float = 1.0

    # Protections.
    maximum_open_trades: int = 5
    #: A zone that overlaps one traded in the same direction within this time is not traded again.
    zone_memory_hours: float = 24.0
    #: Minutes without new trades after a trade closed at a loss.
    cool_down_minutes: float = 60.0
    #: No new trade on a trading day that lost this percentage of the balance it began with.
    daily_loss_percentage: float = 3.0
    #: No new trade in the last minutes before the weekly close.
    weekly_close_minutes: float = 60.0
    maximum_spread_pips: float = 10.0

    # The trade's life and costs.
    #: A trade still open after so many hours closes at the next tick; `None` for never.
    maximum_trade_hours: float | None = 120.0
    #: Account currency per lot for the round turn, paid at the opening.
    commission_per_lot: float = 0.0
    #: Account currency per lot and night, negative where it costs.
    swap_per_lot_night_buy: float = 0.0
    swap_per_lot_night_sell: float = 0.0
    #: Added against the trade to every fill at the market: entry, stop, expiry.
    slippage_pips: float = 0.0
