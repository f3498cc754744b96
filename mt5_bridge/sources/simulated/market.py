"""A made-up market: what the price was at any time follows from a seed alone.

Each trading week is drawn on its own, so that any of them can be made without those before it; only
its opening price is chained, by two cheap draws for each. Inside a week the price follows swings of
days and, on them, swings of hours - a quick leg in the direction, a slower one back, now and then
one too far to catch the stops - under noise whose strength comes and goes.
"""

import math
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.price_form import PRICE_FORMS
from mt5_bridge.protocol.quotes import Quotes

Int64s: TypeAlias = NDArray[np.int64]
Float64s: TypeAlias = NDArray[np.float64]

_NEW_YORK = ZoneInfo("America/New_York")
_LONDON = ZoneInfo("Europe/London")
_FIRST_SUNDAY = datetime(2015, 1, 4)  # noqa: DTZ001 - New York's wall clock
_MINUTE_MS = 60_000
_WEEK = timedelta(days=7)
# Sunday 18:00 to Friday 17:00 in New York, with a break at 17:00 on the days between.
_OPENS_AT, _WEEK_MINUTES = timedelta(hours=18), 119 * 60
_BREAK_STARTS, _BREAK_ENDS = 23 * 60, 24 * 60

# Shares of the price, for gold; other markets move less by their `liveliness`.
_WEEKLY_MOVE: Final = 0.018
_WEEKEND_GAP: Final = 0.0025
_TICKS_A_MINUTE: Final = 15.0
# A quiet hour of London has the noise of one business hour.
_NOISE_PER_BUSINESS_HOUR: Final = 0.0013
_LEG_OF_HOURS: Final = 0.0034
_LEG_OF_DAYS: Final = 0.0150


@dataclass(frozen=True, slots=True)
class MarketProfile:
    """What kind of market a symbol is. Price and spread are usual ones, in quote currency."""

    price: float
    digits: int
    spread: float
    liveliness: float


PROFILES: Final = {
    "XAUUSD": MarketProfile(2650.0, 2, 0.20, 1.0),
    "EURUSD": MarketProfile(1.10, 5, 0.00008, 0.45),
    "GBPUSD": MarketProfile(1.28, 5, 0.00012, 0.50),
    "USDCAD": MarketProfile(1.36, 5, 0.00014, 0.40),
    **{
        symbol: MarketProfile(
            price, PRICE_FORMS[symbol].digits, 0.8 * PRICE_FORMS[symbol].default_spread, liveliness
        )
        for symbol, price, liveliness in (
            ("XAGUSD", 31.0, 1.6),
            ("XAUEUR", 2450.0, 1.0),
            ("AUDUSD", 0.66, 0.55),
            ("NZDUSD", 0.60, 0.55),
            ("USDCHF", 0.89, 0.45),
            ("USDJPY", 150.0, 0.55),
            ("EURGBP", 0.86, 0.35),
            ("EURJPY", 163.0, 0.55),
            ("EURCHF", 0.96, 0.35),
            ("EURAUD", 1.65, 0.50),
            ("EURCAD", 1.48, 0.45),
            ("EURNZD", 1.79, 0.50),
            ("GBPJPY", 190.0, 0.60),
            ("GBPCHF", 1.13, 0.50),
            ("GBPAUD", 1.93, 0.55),
            ("GBPCAD", 1.73, 0.50),
            ("GBPNZD", 2.10, 0.55),
            ("AUDJPY", 98.0, 0.65),
            ("AUDCAD", 0.90, 0.45),
            ("AUDCHF", 0.58, 0.50),
            ("AUDNZD", 1.09, 0.35),
            ("CADJPY", 109.0, 0.55),
            ("CADCHF", 0.65, 0.45),
            ("CHFJPY", 169.0, 0.55),
            ("NZDJPY", 90.0, 0.65),
            ("NZDCAD", 0.82, 0.45),
            ("NZDCHF", 0.53, 0.50),
            ("US30", 39_500.0, 0.75),
            ("US500", 5_400.0, 0.80),
            ("NAS100", 19_000.0, 1.10),
            ("GER40", 18_400.0, 0.85),
            ("UK100", 8_200.0, 0.65),
            ("JP225", 38_800.0, 1.10),
            ("BTCUSD", 97_000.0, 2.20),
            ("ETHUSD", 3_300.0, 2.60),
        )
    },
}


def guessed_profile(digits: int, spread: float) -> MarketProfile:
    """A market of which only the quotes' form is known: brokers ask a ten-thousandth or so."""
    price = spread * 10_000 if spread else 10.0 ** (5 - digits)
    return MarketProfile(max(price, 1000 * 10.0**-digits), digits, spread, 0.6)


@dataclass(frozen=True, slots=True)
class TradingWeek:
    """One trading week: all its quotes. `opens_ms` to `closes_ms` is when it trades."""

    number: int
    opens_ms: int
    closes_ms: int
    quotes: Quotes


def week_number(time_ms: int) -> int:
    """The number of the trading week that trades at, or opens next after, a moment.

    Weeks are counted from the one that opened on 4 January 2015; earlier ones do not exist.
    """
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(_NEW_YORK).replace(tzinfo=None)
    since = local - (_FIRST_SUNDAY + _OPENS_AT)
    number, inside = divmod(since, _WEEK)
    return max(number + (inside >= timedelta(minutes=_WEEK_MINUTES)), 0)


@lru_cache(maxsize=4)
def trading_week(
    seed: int, symbol: str, number: int, profile: MarketProfile | None = None
) -> TradingWeek:
    """A week of the market that ``seed`` and ``symbol`` stand for.

    Without a ``profile`` the symbol is one of `PROFILES`.
    """
    profile = profile or PROFILES[symbol]
    random = _random(seed, symbol, number, "week")
    opens_ms = _opens_ms(number)
    minutes = _minutes(opens_ms)
    activity = _activity(minutes) * _volatility(random, len(minutes))
    times, business = _tick_times(random, minutes, activity)
    start, end = _prices(seed, symbol, number, profile)
    path = _path(random, business, math.log(end / start), profile.liveliness)
    bid = np.round(start * np.exp(path), profile.digits)
    tick_activity = activity[(times - opens_ms) // _MINUTE_MS]
    spread = np.round(
        profile.spread * _spreads(random, times, opens_ms, tick_activity), profile.digits
    )
    closes_ms = opens_ms + _WEEK_MINUTES * _MINUTE_MS
    return TradingWeek(
        number, opens_ms, closes_ms, Quotes(times, bid, np.round(bid + spread, profile.digits))
    )


def _random(seed: int, symbol: str, number: int, purpose: str) -> np.random.Generator:
    name = zlib.crc32(f"{symbol} {purpose}".encode())
    return np.random.Generator(np.random.PCG64([seed & 0xFFFFFFFFFFFFFFFF, name, number]))


def _opens_ms(number: int) -> int:
    opens = (_FIRST_SUNDAY + number * _WEEK + _OPENS_AT).replace(tzinfo=_NEW_YORK)
    return round(opens.timestamp() * 1000)


@lru_cache(maxsize=64)
def _prices(seed: int, symbol: str, number: int, profile: MarketProfile) -> tuple[float, float]:
    """The first and the last price of a week, found from the very first week on.

    Over a weekend the price jumps a little; over a week it moves by a draw that pulls it back to
    the usual price.
    """
    usual, liveliness = profile.price, profile.liveliness
    closing = usual
    for each in range(number + 1):
        random = _random(seed, symbol, each, "move")
        opening = closing * math.exp(random.standard_t(4) * _WEEKEND_GAP * liveliness)
        pull = 0.04 * math.log(usual / opening)
        closing = opening * math.exp(
            random.normal(0.0005 * liveliness + pull, _WEEKLY_MOVE * liveliness)
        )
    return opening, closing


def _minutes(opens_ms: int) -> Int64s:
    """The starts of the week's minutes, with those of the breaks."""
    return opens_ms + np.arange(_WEEK_MINUTES, dtype=np.int64) * _MINUTE_MS


def _is_break(minutes: Int64s) -> NDArray[np.bool_]:
    of_day = ((minutes - minutes[0]) // _MINUTE_MS) % (24 * 60)
    return np.asarray((of_day >= _BREAK_STARTS) & (of_day < _BREAK_ENDS))


def _activity(minutes: Int64s) -> Float64s:
    """How busy each minute is by the centres' clocks; 1 is London in the morning."""
    # No clock changes between the week's opening and its close.
    opened = datetime.fromtimestamp(int(minutes[0]) / 1000, UTC) + timedelta(days=1)
    of_day = {
        zone: ((minutes + _offset_ms(opened, zone)) // _MINUTE_MS % (24 * 60)) / 60
        for zone in (_LONDON, _NEW_YORK)
    }
    london, new_york = of_day[_LONDON], of_day[_NEW_YORK]
    activity = np.full(len(minutes), 0.30)
    activity[(london >= 0) & (london < 7)] = 0.42
    activity[(london >= 7) & (london < 17)] = 1.0
    activity[(new_york >= 8) & (new_york < 12)] = 1.7
    activity[(new_york >= 12) & (new_york < 16)] = 0.8
    # News and openings come at full and half hours.
    activity[(new_york >= 8.5) & (new_york < 8.75)] *= 1.6
    activity[(london >= 8) & (london < 8.5)] *= 1.3
    activity[_is_break(minutes)] = 0.0
    return activity


def _offset_ms(moment: datetime, zone: ZoneInfo) -> int:
    return (moment.astimezone(zone).utcoffset() or timedelta(0)) // timedelta(milliseconds=1)


def _volatility(random: np.random.Generator, count: int) -> Float64s:
    """How the hours differ in volatility: it clusters, and fades within half a day."""
    knots = random.normal(0, 1, count // 60 + 2)
    strength = np.empty_like(knots)
    strength[0] = knots[0]
    for place in range(1, len(knots)):
        strength[place] = 0.85 * strength[place - 1] + 0.53 * knots[place]
    between = np.interp(np.arange(count) / 60, np.arange(len(knots)), strength)
    return np.asarray(np.exp(0.35 * between), dtype=np.float64)


def _tick_times(
    random: np.random.Generator, minutes: Int64s, activity: Float64s
) -> tuple[Int64s, Float64s]:
    """Rising tick times, and the business time (busy hours since the opening) of each."""
    rate = activity**0.8
    rate *= _TICKS_A_MINUTE / rate[activity > 0].mean()
    counts = random.poisson(rate)
    owners = np.repeat(np.arange(len(minutes)), counts)
    inside = random.random(len(owners)) * _MINUTE_MS
    times = np.sort(minutes[owners] + inside.astype(np.int64))
    # No two ticks share a millisecond, so that a time names one place in the stream.
    steps = np.arange(len(times))
    times = np.maximum.accumulate(times - steps) + steps
    elapsed = np.concatenate(([0.0], np.cumsum(activity) / 60))
    knots = np.append(minutes, minutes[-1] + _MINUTE_MS)
    return times, np.interp(times, knots, elapsed)


def _path(
    random: np.random.Generator, business: Float64s, move: float, liveliness: float
) -> Float64s:
    """The logarithm of the price over the opening's, tick by tick; it ends at ``move``."""
    length = float(business[-1])
    trend = 1.0 if move > 0 else -1.0
    path = _swings(random, business, length, _LEG_OF_DAYS, hours=14.0, trend=trend)
    path += _swings(random, business, length, _LEG_OF_HOURS, hours=2.2, trend=trend)
    steps = np.diff(business, prepend=0.0)
    noise: Float64s = np.cumsum(random.normal(0, 1, len(business)) * np.sqrt(steps))
    path = (path + noise * _NOISE_PER_BUSINESS_HOUR) * liveliness
    return np.asarray(path + (move - path[-1]) * business / length, dtype=np.float64)


def _swings(
    random: np.random.Generator,
    business: Float64s,
    length: float,
    leg: float,
    *,
    hours: float,
    trend: float,
) -> Float64s:
    """A zigzag of legs and pullbacks, ``leg`` high and ``hours`` of business time long."""
    times, levels = [0.0], [0.0]
    direction = trend if random.random() < 0.7 else -trend
    while times[-1] < length:
        height = leg * float(np.exp(random.normal(0, 0.4)))
        span = hours * float(np.exp(random.normal(0, 0.35)))
        # Most of a leg's way is made in a short part of its time: that leaves gaps behind.
        start = float(random.uniform(0.15, 0.5))
        _add_leg(times, levels, span * start, direction * height * 0.15)
        _add_leg(times, levels, span * 0.25, direction * height * 0.70)
        _add_leg(times, levels, span * (0.75 - start), direction * height * 0.15)
        if random.random() < 0.4:
            # A little too far, and back at once.
            _add_leg(times, levels, span * 0.03, direction * height * 0.18)
            _add_leg(times, levels, span * 0.03, -direction * height * 0.24)
        back = float(random.uniform(0.35, 0.75))
        if random.random() < 0.28:
            # The pullback goes through: the structure has changed its character.
            back, direction = float(random.uniform(1.1, 1.5)), -direction
            _add_leg(times, levels, span * 0.6, direction * height * back)
        else:
            _add_leg(times, levels, span * 0.9, -direction * height * back)
    return np.interp(business, times, levels)


def _add_leg(times: list[float], levels: list[float], span: float, height: float) -> None:
    times.append(times[-1] + span)
    levels.append(levels[-1] + height)


def _spreads(
    random: np.random.Generator, times: Int64s, opens_ms: int, activity: Float64s
) -> Float64s:
    """Each tick's spread as a multiple of the usual one.

    It is wide around the daily break, and wider when the market is busy.
    """
    of_day = (times - opens_ms) / _MINUTE_MS % (24 * 60)
    to_break = np.minimum(np.abs(of_day - _BREAK_STARTS), np.abs(of_day - _BREAK_ENDS))
    to_break = np.minimum(to_break, of_day)
    near_break = 1 + 4.0 * np.exp(-((to_break / 20) ** 2))
    busy = np.clip(activity, 0.6, 3.0) ** 0.3
    jitter = np.exp(random.normal(0, 0.12, len(times)))
    return np.maximum(near_break * busy * jitter, 0.4)
