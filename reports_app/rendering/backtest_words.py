"""What a backtest means in plain words: the same in the terminal, JSON and on the page."""

from collections.abc import Iterator

from reports_app.assessment.assessment import Assessment
from reports_app.assessment.monte_carlo import Interval
from reports_app.assessment.random_entries import NEAR_DAYS
from reports_app.backtest.result import BacktestResult
from signals_app.market.calendar import utc

#: Chance does as well as this in so few cases of 100 that we stop believing in chance.
_UNLIKELY = 0.05


def verdict(assessed: Assessment) -> Iterator[str]:
    """Say what the result is worth: in short, then a sentence or two for each way of asking."""
    yield _in_short(assessed)
    yield _drawdown(assessed)
    yield _monte_carlo(assessed)
    yield _random_entries(assessed)
    yield _variants(assessed)


def assumptions(result: BacktestResult) -> Iterator[str]:
    """Say what the figures include and what had to be assumed."""
    yield "All figures are net of the spread, and of commission, swap and slippage as set."
    if result.of_minutes:
        yield (
            "Each M1 candle was read as four ticks: its open, then the low and the high (the high "
            "first where it fell), its close. A stop fills at the low or the high, not between. "
            f"{_minutes(result.ambiguous_candles)}"
        )
    elif result.ambiguous_candles:
        yield (
            f"{result.ambiguous_candles:,} times a candle could have ended better, since nothing "
            "says in which order its high and low came: the worse order was assumed."
        )


def data(result: BacktestResult) -> str:
    """Say how many ticks were read and how many candles were built."""
    candles = ", ".join(f"{count:,} {name}" for name, count in result.candles.items())
    return f"{result.ticks:,} ticks, {candles}" if result.ticks else candles


def decisions(result: BacktestResult) -> str:
    """Say how many closes were decided, and from when on where that is not the file's beginning."""
    begun = result.decided_from_ms
    if begun is None or begun == result.first_time_ms:
        return f"{result.decisions:,} closes decided"
    return f"{result.decisions:,} closes decided from {utc(begun):%Y-%m-%d %H:%M} on"


def _in_short(assessed: Assessment) -> str:
    drawn, chance = assessed.monte_carlo, assessed.random_entries
    if assessed.equity.ruined_ms is not None:
        return "In short: it lost everything."
    if drawn is None or chance is None:
        return "In short: these are too few trades to say anything."
    made = assessed.equity.balance[-1] > assessed.equity.before
    result, other = ("made", "lose") if made else ("lost", "make")
    against = drawn.losing_share if made else 1 - drawn.losing_share
    if against <= _UNLIKELY:
        luck = "and nearly all draws from the same trades do"
    else:
        luck = f"but {100 * against:.0f} of 100 draws from the same trades {other} some"
    return f"In short: it {result} money, {luck}. {_meaning(chance.at_least_as_good)}"


def _meaning(share: float) -> str:
    """Say what it means that this share of random sets did at least as well."""
    if share <= _UNLIKELY:
        return "The signals entered better than chance."
    if share >= 1 - _UNLIKELY:
        return "The signals entered worse than chance."
    return "The signals' entries cannot be told from chance."


def _drawdown(assessed: Assessment) -> str:
    if not len(assessed.equity.balance):
        return "No trade was closed, so there is nothing to judge."
    if assessed.equity.ruined_ms is not None:
        return (
            f"RUINED: on {utc(assessed.equity.ruined_ms):%d %B %Y} the account had lost all of its "
            f"{assessed.equity.before:,.0f}. What the tables count after that, nobody could trade."
        )
    return (
        f"From {assessed.equity.before:,.0f} the balance went to "
        f"{assessed.equity.balance[-1]:,.0f}, and on the way fell at most "
        f"{assessed.equity.maximum_drawdown:.1f} % below its highest."
    )


def _monte_carlo(assessed: Assessment) -> str:
    drawn = assessed.monte_carlo
    if assessed.equity.ruined_ms is not None:
        return "An account that was ruined is not drawn again."
    if drawn is None:
        return "With fewer than ten closed trades, no range of results can be given."
    return (
        f"Drawn again from the same trades {drawn.draws:,} times, the result lies in 90 of 100 "
        f"cases between {_span(drawn.profit, ',.0f')} of money and {_span(drawn.r, '+.2f')} R a "
        f"trade, the deepest fall between {_span(drawn.drawdown, '.0f')} %; "
        f"{100 * drawn.losing_share:.0f} of 100 draws lose money."
    )


def _random_entries(assessed: Assessment) -> str:
    chance = assessed.random_entries
    if chance is None:
        return "With fewer than ten closed trades, chance cannot be compared with."
    share = chance.at_least_as_good
    return (
        f"Random entries (the same directions, times of day, stops and targets, on other days at "
        f"most {NEAR_DAYS} away, {chance.repetitions:,} times) make {chance.random_r.middle:+z.2f} "
        f"R a trade, in 90 of 100 cases between {_span(chance.random_r, '+.2f')}. The signals, "
        f"followed in the same way, make {chance.r:+z.2f} R; {100 * share:.0f} of 100 random sets "
        f"do at least as well. {_meaning(share)}"
    )


def _variants(assessed: Assessment) -> str:
    tried, lucky = assessed.settings_tried, assessed.luckiest_r
    if tried is None:
        return "Nobody counted how many settings were tried on this file."
    if tried == 1 or lucky is None:
        return f"{_settings(tried)} tried on this file by this user of this machine."
    return (
        f"{_settings(tried)} tried on this file by this user of this machine. Were all of them "
        f"worth nothing and independent, the luckiest would still show {lucky:+z.2f} R a trade."
    )


def _minutes(count: int) -> str:
    if not count:
        return "No minute held a trade's stop and its target."
    return (
        f"{count:,} times a minute held a trade's stop and its target: which came first was taken "
        "from that shape, which is a guess and not the worse of both."
    )


def _settings(count: int) -> str:
    return "1 setting was" if count == 1 else f"{count:,} settings were"


def _span(interval: Interval, form: str) -> str:
    return f"{interval.low:{form}} and {interval.high:{form}}"
