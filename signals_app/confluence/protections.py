"""What protects the account: times, spreads, losses and zones in which no trade is opened."""

from dataclasses import dataclass
from decimal import Decimal

from signals_app.confluence.levels import Levels
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.market.calendar import MINUTE_MS, is_market_open, weekly_close
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.market.tick import Tick


@dataclass(frozen=True, slots=True)
class TradedZone:
    """A zone that a trade was taken from, and in which direction."""

    direction: Direction
    top: Decimal
    bottom: Decimal


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the instrument's account stands just before an entry tick.

    `balance` and `profit_today` (trading day, realised) are in account currency. `traded_zones`
    are those of open trades and of trades younger than the zone memory. `last_loss_time_ms` is
    when the last losing trade closed, `None` where none did.
    """

    balance: Decimal
    open_trades: int = 0
    traded_zones: tuple[TradedZone, ...] = ()
    last_loss_time_ms: int | None = None
    profit_today: Decimal = Decimal(0)


def wrong_time(close_time_ms: int, entry: Tick, parameters: Parameters) -> Refusal | None:
    """The refusal of an entry too long after the candle's close, or too near the weekly close."""
    late = entry.time_ms - close_time_ms
    if late > parameters.maximum_entry_delay_ms:
        text = f"market closed: the first tick came {late / MINUTE_MS:z,.0f} minutes later"
        return Refusal(RefusalReason.ENTRY_TOO_LATE, text)
    if not is_market_open(entry.time_ms):
        return Refusal(RefusalReason.MARKET_CLOSED, "the week is closed")
    left = (weekly_close(entry.time_ms) - entry.time_ms) / MINUTE_MS
    if left <= parameters.weekly_close_minutes:
        text = f"the week closes in {left:z.0f} minutes"
        return Refusal(RefusalReason.NEAR_WEEKLY_CLOSE, text)
    return None


def account_protected(
    instrument: Instrument, entry: Tick, exposure: Exposure, parameters: Parameters
) -> Refusal | None:
    """The refusal by spread, number of open trades, the day's loss or a pause after a loss."""
    spread_pips = instrument.pips(entry.spread)
    widest = instrument.maximum_spread_pips
    widest = parameters.maximum_spread_pips if widest is None else widest
    if spread_pips > widest:
        text = f"the spread is {spread_pips:g} pips, above {widest:g}"
        return Refusal(RefusalReason.SPREAD_TOO_WIDE, text)
    if exposure.open_trades >= parameters.maximum_open_trades:
        text = f"{exposure.open_trades} trades are open"
        return Refusal(RefusalReason.TOO_MANY_TRADES, text)
    day_began_with = exposure.balance - exposure.profit_today
    limit = day_began_with * Decimal(str(parameters.daily_loss_percentage)) / 100
    if exposure.profit_today < 0 and -exposure.profit_today >= limit:
        text = f"today lost {-exposure.profit_today:z,.2f}, the limit is {limit:z,.2f}"
        return Refusal(RefusalReason.DAILY_LOSS, text)
    if exposure.last_loss_time_ms is not None:
        since = (entry.time_ms - exposure.last_loss_time_ms) / MINUTE_MS
        if since < parameters.cool_down_minutes:
            return Refusal(RefusalReason.COOLING_DOWN, f"the last loss is {since:z.0f} minutes old")
    return None


def zone_traded(direction: Direction, levels: Levels, exposure: Exposure) -> Refusal | None:
    """The refusal of a zone that overlaps one traded in the same direction."""
    # The same idea once: a zone that failed is not bought again an hour later.
    top, bottom = as_decimal(levels.zone_top), as_decimal(levels.zone_bottom)
    for zone in exposure.traded_zones:
        if zone.direction is direction and zone.bottom <= top and bottom <= zone.top:
            text = f"{direction} from {zone.bottom:,f}-{zone.top:,f} was taken already"
            return Refusal(RefusalReason.ZONE_TRADED, text)
    return None
