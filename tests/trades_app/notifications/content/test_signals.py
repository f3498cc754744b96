"""What followers read of a signal, made from what its row holds."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.probability.estimate import Measured
from tests.trades_app.examples import ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.trade import Trade
from trades_app.notifications.content import signals
from trades_app.notifications.content.signals import SignalAnnouncement
from trades_app.notifications.rendered import utf16_length


def announced(signal: TradingSignal, trade: Trade, **more: Any) -> str:
    """The text of an announcement, of whose data a JSON column keeps everything."""
    kept = json.dumps(msgspec.to_builtins(SignalAnnouncement(signal, trade, GOLD, **more)))
    return signals.text(json.loads(kept))


def test_a_signal_is_announced_in_the_agreed_format() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert announced(SIGNAL, trade).splitlines() == [
        "📈 BUY XAUUSD at 2,045.50",
        "",
        "🔔 XAUUSD TRADING SIGNAL 🔔",
        "",
        "📊 Setup Type: FVG + Order Block Confluence",
        "📈 Direction: BUY",
        "💰 Entry: 2,045.50",
        "🛑 Stop Loss: 2,040.00 (-55 pips)",
        "🎯 TP1: 2,055.00 (+95 pips) [50%]",
        "🎯 TP2: 2,065.00 (+195 pips) [50%]",
        "⚖️ Risk:Reward: 1:3.55",
        "",
        "Market Context:",
        "✅ Bullish FVG at 2,043-2,046",
        "✅ Liquidity sweep below 2,040 completed",
        "",
        "Risk Management:",
        "💼 Position Size: 0.5 lots",
        "📉 Risk: 1% of account",
        "🎲 Confidence: 85% (a score; probability not measured)",
        "",
        "Signal ID: XAU_20240105_001",
        "⏰ Time: 2024-01-05 14:30:00 UTC",
        "📊 Session: NY_OVERLAP",
        "",
        "---",
        "📊 LIVE UPDATES 📊",
        "Progress: [░░░░░░░░░░] 0%",
        "Current P/L: +$0.00 (+0 pips)",
    ]


def test_a_probability_is_named_only_where_it_was_measured() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    measured = Measured(0.543, 0.488, 0.594, 812, 0.521)

    text = announced(SIGNAL, trade, measured=measured)

    said = (
        "🎲 Confidence: 85% (a score; measured probability 54% [49-59], n=812; random entries 52%)"
    )
    assert said in text.splitlines()


def test_the_version_that_made_a_signal_stands_behind_its_session() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    lines = announced(SIGNAL, trade, strategy="default v3").splitlines()

    place = lines.index("📊 Session: NY_OVERLAP")
    assert lines[place + 1 : place + 3] == ["🧭 Strategy: default v3", ""]


def test_a_simulated_feed_is_named_before_anything_else() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    text = announced(SIGNAL, trade, is_simulated=True)

    assert text.startswith(
        "🧪 SIMULATED 📈 BUY XAUUSD at 2,045.50\n\n🧪 SIMULATED FEED: these prices are made up 🧪\n"
    )


def test_a_sell_counts_pips_downwards() -> None:
    trade, _ = machine.open_trade(SELL_SIGNAL, GOLD, ENTRY, Parameters())

    lines = announced(SELL_SIGNAL, trade).splitlines()

    assert "🛑 Stop Loss: 2,051.00 (-55 pips)" in lines
    assert "🎯 TP2: 2,026.00 (+195 pips) [50%]" in lines
    assert "📉 Direction: SELL" in lines


def test_a_list_that_a_caption_has_no_room_for_is_given_whole_in_an_answer() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    factors = tuple(f"Bullish <order> & block number {number:02} 🟢" for number in range(30))
    card = SignalAnnouncement(replace(SIGNAL, confluence_factors=factors), trade, GOLD)

    text = signals.announcement_text(card, (2050.0, 2050.2))
    shown = text.count("✅")

    assert 0 < shown < 30
    assert f"… and {30 - shown} more, below" in text
    assert utf16_length(signals.as_html(text)) <= 1024
    context = signals.whole_context(card)
    assert context is not None
    assert signals.context_text(context).count("✅") == 30


def test_a_card_with_room_has_no_answer() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert signals.whole_context(SignalAnnouncement(SIGNAL, trade, GOLD)) is None


def test_no_text_exceeds_what_telegram_takes() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    factors = ("😀" * 450,) * 10
    card = SignalAnnouncement(replace(SIGNAL, confluence_factors=factors), trade, GOLD)
    context = signals.whole_context(card)

    assert "… and 10 more, below" in signals.announcement_text(card)
    assert context is not None
    assert 4090 < utf16_length(signals.context_text(context)) <= 4096


def test_words_from_elsewhere_are_no_markup() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    html = signals.as_html(announced(SIGNAL, trade, strategy="<b>bold</b> & v1"))

    assert html.startswith("<b>📈 BUY XAUUSD at 2,045.50</b>\n")
    assert "🧭 Strategy: &lt;b&gt;bold&lt;/b&gt; &amp; v1" in html


def test_an_order_to_copy_is_one_line_that_needs_no_language() -> None:
    trade, _ = machine.open_trade(SELL_SIGNAL, GOLD, ENTRY, Parameters())

    line = signals.order_line(SignalAnnouncement(SELL_SIGNAL, trade, GOLD))

    assert line == "SELL XAUUSD 2045.50 SL 2051.00 TP1 2036.00 TP2 2026.00"


def test_progress_runs_from_the_entry_to_the_second_target() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert signals.progress(trade, Decimal(2040)) == 0
    assert signals.progress(trade, Decimal("2055.25")) == 50
    assert signals.progress(trade, Decimal(2070)) == 100


def test_how_the_trade_stood_is_shown_with_its_progress_and_result() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, _ = machine.advance(trade, GOLD, bids(2050.0, 2055.1))

    assert announced(SIGNAL, trade).splitlines()[-2:] == [
        "Progress: [█████░░░░░] 48%",
        "Current P/L: +$237.50 (+47.5 pips)",
    ]


def test_a_signal_that_was_found_late_says_so_below_the_mark_of_the_feed() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    lines = announced(SIGNAL, trade, is_simulated=True, found_late_seconds=7380).splitlines()

    assert lines[:7] == [
        "🧪 SIMULATED 📈 BUY XAUUSD at 2,045.50",
        "",
        "🧪 SIMULATED FEED: these prices are made up 🧪",
        "",
        "⏳ Found 2 h 03 min late: its ticks came after the feed had been cut off",
        "",
        "🔔 XAUUSD TRADING SIGNAL 🔔",
    ]


def test_a_setup_without_words_of_its_own_is_written_as_words() -> None:
    assert signals.setup_words("LIQUIDITY_SWEEP") == "Liquidity Sweep"
    assert signals.setup_words("OB+NEW_ONE") == "Order Block + New One Confluence"
