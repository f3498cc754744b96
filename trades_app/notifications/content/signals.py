"""The card that announces a signal: made from the signal, and from its trade as it stands.

Programs read it by the form in docs/reference/messages.md.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.probability.estimate import Measured
from trades_app.lifecycle import risk
from trades_app.lifecycle.trade import Trade
from trades_app.notifications.content import wording
from trades_app.notifications.rendered import MAXIMUM_CAPTION, MAXIMUM_TEXT, cut, utf16_length

#: Kept free in a caption for the live lines, a mark that it repeats another, and the markup, so
#: that the part above never changes.
_RESERVED = 180
#: A list that is cut ends with this line, and is given whole in an answer.
_MORE = "… and {count} more, below"

_SETUP_WORDS = {"FVG": "FVG", "OB": "Order Block", "LIQUIDITY_SWEEP": "Liquidity Sweep"}
_PROGRESS_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class SignalAnnouncement:
    """A signal, with its trade as it stood when the announcement was put into the outbox.

    `found_late_seconds` is how long after its entry tick it was found, `None`: in time;
    `measured` is what history says of the event that the signal leans on, `None`: nothing;
    `strategy` is the name and version of what made it, left out of the text where it is empty.
    """

    signal: TradingSignal
    trade: Trade
    instrument: Instrument
    is_simulated: bool = False
    found_late_seconds: int | None = None
    measured: Measured | None = None
    strategy: str = ""


@dataclass(frozen=True, slots=True)
class SignalContext:
    """The whole list of what speaks for a signal, where its card had no room for all of it."""

    signal_id: str
    confluence_factors: tuple[str, ...]


def announcement(data: Mapping[str, Any]) -> SignalAnnouncement:
    """The value that an outbox row's data hold; raises `msgspec.ValidationError`."""
    return msgspec.convert(data, SignalAnnouncement)


def text(data: Mapping[str, Any]) -> str:
    """The text of an outbox row's data, without markup."""
    return announcement_text(announcement(data))


def context_text(context: SignalContext) -> str:
    """The answer to a card that holds the list whole."""
    factors = (f"✅ {factor}" for factor in context.confluence_factors)
    return cut("\n".join((f"Market Context of {context.signal_id}:", *factors)), MAXIMUM_TEXT)


def whole_context(announced: SignalAnnouncement) -> SignalContext | None:
    """What is to be given in an answer; `None` where the card holds it all."""
    signal = announced.signal
    if _shown_factors(announced) == len(signal.confluence_factors):
        return None
    return SignalContext(signal.signal_id, signal.confluence_factors)


def as_html(text: str) -> str:
    """A card's text for Telegram: everything escaped, the first line in bold."""
    first, *others = html.escape(text, quote=False).split("\n")
    return "\n".join((f"<b>{first}</b>", *others))


def order_line(announced: SignalAnnouncement) -> str:
    """One line that copiers of signals read: side, symbol, entry, stop and targets."""
    signal, digits = announced.signal, announced.instrument.digits
    entry, stop, first, second = (
        f"{price:.{digits}f}"
        for price in (
            *(signal.entry_price, signal.stop_loss),
            *(signal.take_profit_1, signal.take_profit_2),
        )
    )
    return f"{signal.direction} {signal.instrument} {entry} SL {stop} TP1 {first} TP2 {second}"


def announcement_text(
    announced: SignalAnnouncement, quote: tuple[float, float] | None = None
) -> str:
    """What followers read of a signal, with how its trade stands below.

    ``quote`` is the present bid and ask, at which the open part is counted; `None`: without it.
    """
    lines = _lines(announced, _shown_factors(announced))
    return "\n".join((*lines, *_live_lines(announced.trade, announced.instrument, quote)))


def _shown_factors(announced: SignalAnnouncement) -> int:
    """How many of the factors a card has room for; what is always the same for one signal."""
    most = len(announced.signal.confluence_factors)
    for count in range(most, -1, -1):
        lines = as_html("\n".join(_lines(announced, count)))
        if utf16_length(lines) + _RESERVED <= MAXIMUM_CAPTION:
            return count
    return 0


def _lines(announcement: SignalAnnouncement, factors: int) -> list[str]:
    """A card without its live lines, and with so many of the factors."""
    signal, instrument = announcement.signal, announcement.instrument
    late, strategy = announcement.found_late_seconds, announcement.strategy
    measured = announcement.measured
    probability = f"measured probability {measured}" if measured else "probability not measured"
    entry = as_decimal(signal.entry_price)
    levels = (
        f"🛑 Stop Loss: {_level(instrument, entry, signal.stop_loss, signal)}",
        f"🎯 TP1: {_level(instrument, entry, signal.take_profit_1, signal)} [50%]",
        f"🎯 TP2: {_level(instrument, entry, signal.take_profit_2, signal)} [50%]",
    )
    at = wording.price(instrument, entry)
    mark = wording.SIMULATED_MARK if announcement.is_simulated else ""
    arrow = "📈" if signal.direction.sign > 0 else "📉"
    shown = signal.confluence_factors[:factors]
    left_out = len(signal.confluence_factors) - factors
    return [
        # All that a locked telephone shows.
        f"{mark}{arrow} {signal.direction} {signal.instrument} at {at}",
        "",
        *([wording.SIMULATED_FEED, ""] if announcement.is_simulated else []),
        *([wording.found_late(late), ""] if late else []),
        f"🔔 {signal.instrument} TRADING SIGNAL 🔔",
        "",
        f"📊 Setup Type: {setup_words(signal.setup_type)}",
        f"{arrow} Direction: {signal.direction}",
        f"💰 Entry: {at}",
        *levels,
        f"⚖️ Risk:Reward: 1:{wording.short(signal.risk_reward_ratio)}",
        "",
        "Market Context:",
        *(f"✅ {factor}" for factor in shown),
        *([_MORE.format(count=left_out)] if left_out else []),
        "",
        "Risk Management:",
        f"💼 Position Size: {wording.short(signal.position_size)} lots",
        f"📉 Risk: {wording.short(signal.risk_percentage)}% of account",
        # A score is a ranking; a probability has to be measured first.
        f"🎲 Confidence: {wording.short(signal.confidence_score)}% (a score; {probability})",
        "",
        f"Signal ID: {signal.signal_id}",
        f"⏰ Time: {wording.utc_time(utc(signal.timestamp_ms))}",
        f"📊 Session: {signal.session}",
        *([f"🧭 Strategy: {strategy}"] if strategy else []),
        "",
        "---",
        "📊 LIVE UPDATES 📊",
    ]


def setup_words(setup_type: str) -> str:
    """A setup's code in words: `FVG+OB` is "FVG + Order Block Confluence"."""
    words = [
        _SETUP_WORDS.get(part, part.replace("_", " ").title()) for part in setup_type.split("+")
    ]
    return " + ".join(words) + (" Confluence" if len(words) > 1 else "")


def progress(trade: Trade, price: Decimal) -> int:
    """How far ``price`` is on the way from the entry to the second target, 0..100."""
    whole = (trade.take_profit_2 - trade.entry_price) * trade.direction.sign
    done = (price - trade.entry_price) * trade.direction.sign
    return max(0, min(100, int(100 * done / whole))) if whole > 0 else 0


def _live_lines(
    trade: Trade, instrument: Instrument, quote: tuple[float, float] | None
) -> tuple[str, str]:
    reached = trade.partial_closes[-1].price if trade.partial_closes else trade.entry_price
    money, pips = trade.profit_loss, trade.profit_loss_pips
    if quote is not None and trade.is_open:
        reached = as_decimal(quote[0 if trade.direction.sign > 0 else 1])
        money, pips = _with_open_part(trade, instrument, reached)
    percent = progress(trade, reached)
    blocks = round(percent * _PROGRESS_BLOCKS / 100)
    bar = "█" * blocks + "░" * (_PROGRESS_BLOCKS - blocks)
    return (f"Progress: [{bar}] {percent}%", f"Current P/L: {wording.result(money, pips)}")


def _with_open_part(
    trade: Trade, instrument: Instrument, price: Decimal
) -> tuple[Decimal, Decimal]:
    """Money and pips of the whole trade, were its open part closed at this price."""
    floating = risk.profit(
        instrument,
        direction=trade.direction,
        lots=trade.remaining_lots,
        entry_price=trade.entry_price,
        exit_price=price,
        nights=0,
        costs=trade.costs,
        rate=trade.rate,
    )
    distance = risk.pips(instrument, risk.gain(trade.direction, trade.entry_price, price))
    share = trade.remaining_lots / trade.lots if trade.lots else Decimal(0)
    return trade.profit_loss + floating, trade.profit_loss_pips + distance * share


def _level(instrument: Instrument, entry: Decimal, level: float, signal: TradingSignal) -> str:
    pips = (as_decimal(level) - entry) * signal.direction.sign / Decimal(str(instrument.pip))
    return f"{wording.price(instrument, level)} ({wording.signed(pips)} pips)"
