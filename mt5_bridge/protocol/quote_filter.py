"""The rules that every tick has to pass, the same in connector, gateway, replay and backtest."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from mt5_bridge.protocol.quotes import DAY_MS, Bools, Int64s, Quotes, quantise

# Below this many quotes the plain loop is quicker than a dozen array operations.
_FEW = 12


class BadTick(StrEnum):
    """Why a quote was refused; the values are the `reason` labels of the counters."""

    NOT_A_NUMBER = "not_a_number"
    INFINITE = "infinite"
    NOT_POSITIVE = "not_positive"
    CROSSED = "crossed"
    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    JUMP = "jump"


@dataclass(frozen=True, slots=True)
class Jumps:
    """Quotes refused for a jump, one behind the other, that agree with the first of them.

    `bid` and `since_ms` are the first one's. There are none where `count` is 0.
    """

    count: int = 0
    bid: float = 0.0
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class LastGood:
    """The last accepted quote of a symbol: newest time and its bid; zeros before the first.

    No quote counts as earlier than `watermark_ms`, up to which the market is known. `jumps` have
    come since.
    """

    time_ms: int = 0
    bid: float = 0.0
    watermark_ms: int = 0
    jumps: Jumps = Jumps()

    @property
    def newest_ms(self) -> int:
        """The time that the next quote has at least."""
        return max(self.time_ms, self.watermark_ms)


@dataclass(frozen=True, slots=True)
class RefusedQuote:
    """A refused quote: its index in what was checked, the rule it broke, and a sentence."""

    place: int
    reason: BadTick
    text: str


@dataclass(frozen=True, slots=True)
class CheckedQuotes:
    """The outcome of a check.

    `quotes` are the accepted ones: prices on the five-decimal grid, times never going back.
    `accepted` is true at their places in the input. `last` is the state for the next check.
    """

    quotes: Quotes
    accepted: Bools
    refusals: tuple[RefusedQuote, ...]
    last: LastGood

    @property
    def reasons(self) -> dict[BadTick, int]:
        """How many quotes each rule refused; rules that refused none are not listed."""
        return dict(Counter(refusal.reason for refusal in self.refusals))


@dataclass(frozen=True, slots=True)
class QuoteFilter:
    """The rules for ticks, in the order in which docs/reference/wire.md lists them.

    A price must be a positive finite number and the ask not below the bid. The time may lie at
    most `maximum_ahead_ms` in the future, and at most `maximum_back_ms` before the newest accepted
    one; within that it counts as the newest one's time. Bid and ask may be at most `maximum_jump`
    (a share) away from the last good bid.

    A move that lasts is no bad data: where `lasting_quotes` in a row were refused for a jump, over
    `lasting_ms` at least, each within `maximum_jump` of the first of them, the last of those is
    accepted; and so is any that comes `silence_ms` after the last good one.
    """

    maximum_ahead_ms: int = 60_000
    maximum_back_ms: int = 60_000
    maximum_jump: float = 0.20
    lasting_quotes: int = 20
    lasting_ms: int = 60_000
    silence_ms: int = 7 * DAY_MS

    def check(self, quotes: Quotes, last: LastGood, now_ms: int | None = None) -> CheckedQuotes:
        """Check ``quotes`` that follow ``last``; no time is too late where ``now_ms`` is None.

        Each accepted quote is the `last` of the one after it.
        """
        if len(quotes) < _FEW:
            return self.check_one_by_one(quotes, last, now_ms)
        on_grid = _on_grid(quotes)
        clamped = np.maximum.accumulate(np.maximum(quotes.time_ms, last.newest_ms))
        if self._are_all_good(on_grid, clamped, last, now_ms):
            newest = LastGood(int(clamped[-1]), float(on_grid.bid[-1]), last.watermark_ms)
            return CheckedQuotes(_at(on_grid, clamped), np.ones(len(quotes), np.bool_), (), newest)
        return self._one_by_one(on_grid, last, now_ms)

    def check_one_by_one(
        self, quotes: Quotes, last: LastGood, now_ms: int | None = None
    ) -> CheckedQuotes:
        """Do what `check` does, quote by quote: the readable version, and the slow one."""
        return self._one_by_one(_on_grid(quotes), last, now_ms)

    def _one_by_one(self, quotes: Quotes, last: LastGood, now_ms: int | None) -> CheckedQuotes:
        times, bids, asks = quotes.time_ms.tolist(), quotes.bid.tolist(), quotes.ask.tolist()
        refusals = []
        for place, (time_ms, bid, ask) in enumerate(zip(times, bids, asks, strict=True)):
            refusal = self._refusal(place, time_ms, bid, ask, last, now_ms)
            if refusal is None and self._is_far(bid, ask, last.bid):
                jumps = self._with_another(last.jumps, time_ms, bid, ask)
                refusal = self._jump(place, time_ms, bid, ask, last, jumps)
                last = replace(last, jumps=jumps)
            if refusal is not None:
                refusals.append(refusal)
                continue
            last = LastGood(max(time_ms, last.newest_ms), bid, last.watermark_ms)
            times[place] = last.time_ms
        accepted = np.ones(len(quotes), np.bool_)
        checked = _at(quotes, np.array(times, dtype=np.int64))
        if not refusals:
            return CheckedQuotes(checked, accepted, (), last)
        accepted[[refusal.place for refusal in refusals]] = False
        return CheckedQuotes(checked.where(accepted), accepted, tuple(refusals), last)

    def _are_all_good(
        self, quotes: Quotes, clamped: Int64s, last: LastGood, now_ms: int | None
    ) -> bool:
        # Were every quote accepted, each would be checked against the one before it: a single
        # breach of that is enough to look quote by quote.
        bid, ask = quotes.bid, quotes.ask
        before = np.concatenate(([last.bid or bid[0]], bid[:-1]))
        reach = self.maximum_jump * before
        return bool(
            np.all(bid > 0)
            and np.all(ask >= bid)
            and np.all(np.isfinite(ask))
            and np.all(np.abs(bid - before) <= reach)
            and np.all(ask - before <= reach)
            and quotes.time_ms[0] >= last.newest_ms - self.maximum_back_ms
            and np.all(quotes.time_ms[1:] >= clamped[:-1] - self.maximum_back_ms)
            and (now_ms is None or clamped[-1] <= now_ms + self.maximum_ahead_ms)
        )

    def _refusal(
        self,
        place: int,
        time_ms: int,
        bid: float,
        ask: float,
        last: LastGood,
        now_ms: int | None,
    ) -> RefusedQuote | None:
        if math.isnan(bid) or math.isnan(ask):
            return RefusedQuote(place, BadTick.NOT_A_NUMBER, "the price is not a number")
        if math.isinf(bid) or math.isinf(ask):
            return RefusedQuote(place, BadTick.INFINITE, "the price is infinite")
        if bid <= 0 or ask <= 0:
            return RefusedQuote(
                place, BadTick.NOT_POSITIVE, f"the price {min(bid, ask)} is not positive"
            )
        if ask < bid:
            return RefusedQuote(place, BadTick.CROSSED, f"the ask {ask} is below the bid {bid}")
        if now_ms is not None and time_ms > now_ms + self.maximum_ahead_ms:
            ahead = (time_ms - now_ms) / 1000
            return RefusedQuote(
                place, BadTick.IN_THE_FUTURE, f"the time is {ahead:.1f} s in the future"
            )
        if time_ms < last.newest_ms - self.maximum_back_ms:
            back = (last.newest_ms - time_ms) / 1000
            text = f"the time is {back:.1f} s before the last one"
            return RefusedQuote(place, BadTick.TOO_OLD, text)
        return None

    def _is_far(self, bid: float, ask: float, from_bid: float) -> bool:
        reach = self.maximum_jump * from_bid
        return bool(from_bid) and (abs(bid - from_bid) > reach or ask - from_bid > reach)

    def _with_another(self, jumps: Jumps, time_ms: int, bid: float, ask: float) -> Jumps:
        """The quotes that agree with this one, which is a jump itself."""
        if jumps.count and not self._is_far(bid, ask, jumps.bid):
            return replace(jumps, count=jumps.count + 1)
        return Jumps(1, bid, time_ms)

    def _jump(
        self, place: int, time_ms: int, bid: float, ask: float, last: LastGood, jumps: Jumps
    ) -> RefusedQuote | None:
        """Why a quote far from the last good one is refused, None where the move has lasted."""
        if time_ms - last.time_ms >= self.silence_ms:
            return None
        if jumps.count >= self.lasting_quotes and time_ms - jumps.since_ms >= self.lasting_ms:
            return None
        text = f"the quote {bid}/{ask} is over {self.maximum_jump:.0%} away from {last.bid}"
        return RefusedQuote(place, BadTick.JUMP, text)


WITHOUT_JUMPS: Final = QuoteFilter(maximum_jump=math.inf)
"""The rules that a connector applies. It passes jumps on, so that they are judged once."""


def _on_grid(quotes: Quotes) -> Quotes:
    return Quotes(
        quotes.time_ms, quantise(quotes.bid), quantise(quotes.ask), quotes.last, quotes.volume
    )


def _at(quotes: Quotes, time_ms: Int64s) -> Quotes:
    return Quotes(time_ms, quotes.bid, quotes.ask, quotes.last, quotes.volume)
