"""What was printed is read back as it was."""

import json
from dataclasses import replace

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import signal_as_json
from tests.trades_app.examples import ENTRY, GOLD, SELL_SIGNAL, SIGNAL, bids
from trades_app.lifecycle import machine
from trades_app.lifecycle.exported import disagreement, event_from_json, signal_from_json

COSTLY = replace(
    Parameters(), commission_per_lot=7.0, slippage_pips=1.3, swap_per_lot_night_buy=-3.0
)


def test_a_signal_and_its_trade_come_back_as_they_were() -> None:
    for signal, prices in ((SIGNAL, (2055.0, 2066.0)), (SELL_SIGNAL, (2051.0,))):
        trade, events = machine.open_trade(signal, GOLD, ENTRY, COSTLY)
        trade, more = machine.advance(trade, GOLD, bids(*prices))
        events += more
        told = json.loads(json.dumps(machine.trade_as_json(trade, events)))

        assert signal_from_json(json.loads(json.dumps(signal_as_json(signal)))) == signal
        assert tuple(map(event_from_json, told["events"])) == events
        assert disagreement(told, signal, events) is None
        assert disagreement({**told, "exit_reason": None}, signal, events) == (
            f"exit_reason None, its events say {trade.exit_reason}"
        )


def test_numbers_without_their_point_are_the_same_numbers() -> None:
    told = json.loads(json.dumps(signal_as_json(SIGNAL)).replace(".0,", ","))

    assert signal_as_json(signal_from_json(told)) == signal_as_json(SIGNAL)
    assert json.dumps(signal_as_json(signal_from_json(told))) == json.dumps(signal_as_json(SIGNAL))
