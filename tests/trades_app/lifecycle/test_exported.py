"""What is printed stays as it was, byte for byte, and is read back as it was."""

import json
from dataclasses import replace
from pathlib import Path

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.encoding import as_json, from_json, keys_of
from tests.trades_app.examples import ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from tests.trades_app.lives import lives
from trades_app.lifecycle import machine
from trades_app.lifecycle.exported import TRADE_KEYS, disagreement, trade_as_json
from trades_app.lifecycle.hash_chain import event_entries, signal_entries
from trades_app.lifecycle.trade import TradeEvent

#: What the first release printed of `lives()`, with the links of the hash chain.
PRINTED = Path(__file__).parents[2] / "fixtures" / "printed_trades.jsonl"
COSTLY = replace(
    Parameters(), commission_per_lot=7.0, slippage_pips=1.3, swap_per_lot_night_buy=-3.0
)


def test_trades_of_every_kind_print_and_link_as_they_always_did() -> None:
    lines = PRINTED.read_text().splitlines()

    for (signal, trade, events), line in zip(lives(), lines, strict=True):
        (begin,) = signal_entries([signal])
        links = [entry.link for entry in (begin, *event_entries(begin, events))]
        printed = {"signal": as_json(signal), "trade": trade_as_json(trade, events)}
        assert json.dumps({**printed, "links": links}) == line


def test_the_keys_of_a_trade_are_what_is_printed_in_order() -> None:
    signal, trade, events = next(lives())

    assert tuple(trade_as_json(trade, events)) == TRADE_KEYS
    assert tuple(as_json(signal)) == keys_of(TradingSignal)


def test_a_signal_and_its_trade_come_back_as_they_were() -> None:
    for signal, prices in ((SIGNAL, (2055.0, 2066.0)), (SELL_SIGNAL, (2051.0,))):
        trade, events = machine.open_trade(signal, GOLD, ENTRY, COSTLY)
        trade, more = machine.advance(trade, GOLD, bids(*prices))
        events += more
        printed = json.loads(json.dumps(trade_as_json(trade, events)))

        assert from_json(TradingSignal, json.loads(json.dumps(as_json(signal)))) == signal
        assert tuple(from_json(TradeEvent, each) for each in printed["events"]) == events
        assert disagreement(printed, signal, events) is None
        assert disagreement({**printed, "exit_reason": None}, signal, events) == (
            f"exit_reason None, its events say {trade.exit_reason}"
        )


def test_numbers_without_their_point_are_the_same_numbers() -> None:
    printed = json.loads(json.dumps(as_json(SIGNAL)).replace(".0,", ","))

    assert as_json(from_json(TradingSignal, printed)) == as_json(SIGNAL)
    assert json.dumps(as_json(from_json(TradingSignal, printed))) == json.dumps(as_json(SIGNAL))


def test_json_of_a_trade_is_numbers_and_iso_times() -> None:
    trade, events = machine.advance(
        machine.open_trade(SIGNAL, GOLD, ENTRY, Parameters())[0], GOLD, bids(2055.0, 2066.0)
    )
    printed = trade_as_json(trade, events)

    assert printed["signal_id"] == "XAU_20240105_001"
    assert (printed["entry_time"], printed["exit_time"]) == (
        "2024-01-05T14:30:00.400Z",
        "2024-01-05T14:30:02Z",
    )
    assert (printed["profit_loss"], printed["r_multiple"]) == (725.0, 2.64)
    assert printed["partial_closes"][0] == {
        "kind": "TP1_HIT",
        "time": "2024-01-05T14:30:01Z",
        "price": 2055.0,
        "lots": 0.25,
        "profit": 237.5,
        "pips": 95.0,
    }
    assert printed["events"][0] == {
        "kind": "TP1_HIT",
        "before": "MONITORING",
        "after": "TP1_HIT",
        "time": "2024-01-05T14:30:01Z",
        "ordinal": 11,
        "price": 2055.0,
        "lots": 0.25,
        "profit": 237.5,
        "pips": 95.0,
        "stop_loss": 2040.0,
    }
