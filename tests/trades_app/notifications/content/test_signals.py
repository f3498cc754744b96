"""What followers read."""

from dataclasses import replace
from decimal import Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.probability.estimate import Measured
from tests.trades_app.examples import ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.notifications.content import messages


def test_a_signal_is_announced_in_the_agreed_format() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert messages.signal_text(SIGNAL, GOLD, trade).splitlines() == [
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


def test_a_probability_is_told_only_where_it_was_measured() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    measured = Measured(0.543, 0.488, 0.594, 812, 0.521)

    text = messages.signal_text(SIGNAL, GOLD, trade, measured=measured)

    said = (
        "🎲 Confidence: 85% (a score; measured probability 54% [49-59], n=812; random entries 52%)"
    )
    assert said in text.splitlines()


def test_the_version_that_made_a_signal_is_told_behind_its_session() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    lines = messages.signal_text(SIGNAL, GOLD, trade, strategy="default v3").splitlines()

    place = lines.index("📊 Session: NY_OVERLAP")
    assert lines[place + 1 : place + 3] == ["🧭 Strategy: default v3", ""]


def test_a_simulated_feed_is_named_before_anything_else() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    text = messages.signal_text(SIGNAL, GOLD, trade, is_simulated=True)

    assert text.startswith("🧪 SIMULATED FEED: these prices are made up 🧪\n")


def test_a_sell_counts_pips_downwards() -> None:
    trade, _ = machine.open_trade(SELL_SIGNAL, GOLD, ENTRY, Parameters())

    lines = messages.signal_text(SELL_SIGNAL, GOLD, trade).splitlines()

    assert "🛑 Stop Loss: 2,051.00 (-55 pips)" in lines
    assert "🎯 TP2: 2,026.00 (+195 pips) [50%]" in lines
    assert "📉 Direction: SELL" in lines


def test_a_message_never_exceeds_what_telegram_takes() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    talkative = replace(SIGNAL, confluence_factors=("x" * 900,) * 10)

    assert len(messages.signal_text(talkative, GOLD, trade)) == messages.MAXIMUM_LENGTH


def test_the_first_target_tells_of_the_half_and_of_break_even() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2055.1))

    text = messages.event_text(trade, events[0], GOLD)

    assert text == (
        "🎯 TP1 reached at 2,055.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Closed 0.25 lots: +$237.50 (+95 pips)\n"
        "The stop moves to break-even, 2,045.50\n"
        "⏰ 2024-01-05 14:30:02 UTC"
    )
    assert messages.event_text(trade, events[1], GOLD) is None


def test_a_lot_too_small_to_split_closes_nothing_at_the_first_target() -> None:
    smallest = replace(SIGNAL, position_size=Decimal("0.01"))
    trade, _ = machine.open_trade(smallest, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2055.1))

    assert messages.event_text(trade, events[0], GOLD) == (
        "🎯 TP1 reached at 2,055.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Nothing closed: the lot is too small to split\n"
        "The stop moves to break-even, 2,045.50\n"
        "⏰ 2024-01-05 14:30:01 UTC"
    )


def test_the_last_event_tells_the_result_losses_included() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2040.0))

    assert messages.event_text(trade, events[0], GOLD) == (
        "🛑 Stop reached at 2,040.00\n"
        "XAUUSD BUY · XAU_20240105_001\n"
        "Closed 0.5 lots: -$275.00 (-55 pips)\n"
        "Result: -$275.00 (-55 pips) = -1 R\n"
        "⏰ 2024-01-05 14:30:02 UTC"
    )


def test_what_happens_to_a_trade_on_made_up_prices_says_so_first() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())
    trade, events = machine.advance(trade, GOLD, bids(2050.0, 2040.0))

    text = messages.event_text(trade, events[0], GOLD, is_simulated=True)
    assert text.splitlines()[:2] == [
        "🧪 SIMULATED FEED: these prices are made up 🧪",
        "🛑 Stop reached at 2,040.00",
    ]


def test_progress_runs_from_the_entry_to_the_second_target() -> None:
    trade, _ = machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())

    assert messages.progress(trade, Decimal(2040)) == 0
    assert messages.progress(trade, Decimal("2055.25")) == 50
    assert messages.progress(trade, Decimal(2070)) == 100
