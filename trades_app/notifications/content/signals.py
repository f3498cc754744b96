"""What followers read: pure text from pure values."""

from datetime import datetime
from decimal import Decimal

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.instrument import Instrument, as_decimal
from signals_app.probability.estimate import Measured
from trades_app.lifecycle.machine import EventKind, Trade, TradeEvent

#: Telegram refuses longer messages.
MAXIMUM_LENGTH = 4096

_SETUP_WORDS = {"FVG": "FVG", "OB": "Order Block", "LIQUIDITY_SWEEP": "Liquidity Sweep"}
_PROGRESS_BLOCKS = 10
_TOLD_EVENTS = {
    EventKind.TP1_HIT: "🎯 TP1 reached",
    EventKind.TP2_HIT: "🏁 TP2 reached",
    EventKind.SL_HIT: "🛑 Stop reached",
    EventKind.EXPIRED: "⌛ Closed: its time was over",
    EventKind.CLOSED_MANUALLY: "✋ Closed by hand",
}
_SIMULATED = "🧪 SIMULATED FEED: these prices are made up 🧪"


def signal_text(
    signal: TradingSignal,
    instrument: Instrument,
    trade: Trade,
    *,
    is_simulated: bool = False,
    found_late_seconds: int | None = None,
    measured: Measured | None = None,
    strategy: str = "",
) -> str:
    """Return the message that announces a signal, with how its trade stands below.

    ``measured`` is what history says of the event that the signal leans on, `None`: nothing.
    ``strategy`` is the name and version of what made it, left out where it is empty.
    """
    probability = f"measured probability {measured}" if measured else "probability not measured"
    entry = as_decimal(signal.entry_price)
    levels = (
        f"🛑 Stop Loss: {_level(instrument, entry, signal.stop_loss, signal)}",
        f"🎯 TP1: {_level(instrument, entry, signal.take_profit_1, signal)} [50%]",
        f"🎯 TP2: {_level(instrument, entry, signal.take_profit_2, signal)} [50%]",
    )
    lines = [
        *([_SIMULATED, ""] if is_simulated else []),
        *([_late_line(found_late_seconds), ""] if found_late_seconds else []),
        f"🔔 {signal.instrument} TRADING SIGNAL 🔔",
        "",
        f"📊 Setup Type: {setup_words(signal.setup_type)}",
        f"{'📈' if signal.direction.sign > 0 else '📉'} Direction: {signal.direction}",
        f"💰 Entry: {instrument.show(entry)}",
        *levels,
        f"⚖️ Risk:Reward: 1:{_short(signal.risk_reward_ratio)}",
        "",
        "Market Context:",
        *(f"✅ {factor}" for factor in signal.confluence_factors),
        "",
        "Risk Management:",
        f"💼 Position Size: {_short(signal.position_size)} lots",
        f"📉 Risk: {_short(signal.risk_percentage)}% of account",
        # A score is a ranking; a probability has to be measured first.
        f"🎲 Confidence: {_short(signal.confidence_score)}% (a score; {probability})",
        "",
        f"Signal ID: {signal.signal_id}",
        f"⏰ Time: {_moment(utc(signal.timestamp_ms))}",
        f"📊 Session: {signal.session}",
        *([f"🧭 Strategy: {strategy}"] if strategy else []),
        "",
        "---",
        "📊 LIVE UPDATES 📊",
        *_live_lines(trade),
    ]
    return "\n".join(lines)[:MAXIMUM_LENGTH]


def event_text(
    trade: Trade,
    event: TradeEvent,
    instrument: Instrument,
    *,
    is_simulated: bool = False,
    found_late_seconds: int | None = None,
) -> str | None:
    """Return what is told of a trade's event, `None` where followers need no word of it.

    ``trade`` may have gone on since; what is told is of the event.
    """
    headline = _TOLD_EVENTS.get(event.kind)
    if headline is None:
        return None
    price = "" if event.price is None else f" at {instrument.show(event.price)}"
    lines = [
        *([_SIMULATED] if is_simulated else []),
        f"{headline}{price}",
        f"{trade.instrument} {trade.direction} · {trade.signal_id}",
        _closed_line(event),
    ]
    if event.kind is EventKind.TP1_HIT:
        lines.append(f"The stop moves to break-even, {instrument.show(trade.stop_loss)}")
    else:
        multiple = "" if trade.r_multiple is None else f" = {_signed(trade.r_multiple)} R"
        lines.append(f"Result: {_result(trade.profit_loss, trade.profit_loss_pips)}{multiple}")
    lines.append(f"⏰ {_moment(utc(event.time_ms))}")
    if found_late_seconds:
        lines.append(_late_line(found_late_seconds))
    return "\n".join(lines)


def setup_words(setup_type: str) -> str:
    """Return a setup's code in words: `FVG+OB` is "FVG + Order Block Confluence"."""
    words = [
        _SETUP_WORDS.get(part, part.replace("_", " ").title()) for part in setup_type.split("+")
    ]
    return " + ".join(words) + (" Confluence" if len(words) > 1 else "")


def time_words(seconds: float) -> str:
    """Return a length of time in minutes, and in hours from one hour on: `2 h 03 min`."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def progress(trade: Trade, price: Decimal) -> int:
    """Return how far ``price`` is on the way from the entry to the second target, 0..100."""
    whole = (trade.take_profit_2 - trade.entry_price) * trade.direction.sign
    done = (price - trade.entry_price) * trade.direction.sign
    return max(0, min(100, int(100 * done / whole))) if whole > 0 else 0


def _live_lines(trade: Trade) -> tuple[str, str]:
    reached = trade.partial_closes[-1].price if trade.partial_closes else trade.entry_price
    percent = progress(trade, reached)
    blocks = round(percent * _PROGRESS_BLOCKS / 100)
    bar = "█" * blocks + "░" * (_PROGRESS_BLOCKS - blocks)
    return (
        f"Progress: [{bar}] {percent}%",
        f"Current P/L: {_result(trade.profit_loss, trade.profit_loss_pips)}",
    )


def _level(instrument: Instrument, entry: Decimal, level: float, signal: TradingSignal) -> str:
    pips = (as_decimal(level) - entry) * signal.direction.sign / Decimal(str(instrument.pip))
    return f"{instrument.show(level)} ({_signed(pips)} pips)"


def _result(money: Decimal, pips: Decimal) -> str:
    return f"{_signed_money(money)} ({_signed(pips)} pips)"


def _closed_line(event: TradeEvent) -> str:
    if not event.lots:
        return "Nothing closed: the lot is too small to split"
    return f"Closed {_short(event.lots)} lots: {_result(event.profit, event.pips)}"


def _late_line(seconds: int) -> str:
    return f"⏳ Found {time_words(seconds)} late: its ticks came after the feed had been cut off"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _signed_money(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.2f}"


def _signed(number: Decimal) -> str:
    return f"{'-' if number < 0 else '+'}{_short(abs(number))}"


def _short(number: Decimal | float) -> str:
    """Return a number to at most two decimals, without zeros that say nothing."""
    text = f"{number:,.2f}"
    return text.rstrip("0").rstrip(".")
