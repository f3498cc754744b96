"""Trades as `manage.py export` and backtests print them, and whether what is printed adds up."""

from collections.abc import Mapping, Sequence
from typing import Any

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.encoding import as_json, keys_of
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from trades_app.lifecycle.machine import plan_trade
from trades_app.lifecycle.replay import replay
from trades_app.lifecycle.trade import Trade, TradeEvent

#: What a reader without the instrument's settings cannot compute again.
_OF_THE_INSTRUMENT = frozenset({"profit_loss_pips", "r_multiple"})


#: What `trade_as_json` gives, in its order.
TRADE_KEYS = (
    *(key for key in keys_of(Trade) if key != "partial_closes"),
    *("r_multiple", "partial_closes", "events"),
)


def trade_as_json(
    trade: Trade, events: Sequence[TradeEvent], *, internal: bool = False
) -> dict[str, Any]:
    """The trade with its multiple of the risk and its events.

    With ``internal`` also those fields of the trade that exports do without.
    """
    printed = as_json(trade, internal=internal)
    partial_closes = printed.pop("partial_closes")
    return printed | {
        "r_multiple": None if trade.r_multiple is None else float(trade.r_multiple),
        "partial_closes": partial_closes,
        "events": [as_json(event) for event in events],
    }


def disagreement(
    printed: Mapping[str, Any], signal: TradingSignal, events: Sequence[TradeEvent]
) -> str | None:
    """What ``printed`` says of a trade that does not follow from its signal and events.

    `None` where all of it does; pips and multiples of the risk are not looked at. Raises
    `InvalidTransition` where the events do not follow from each other.
    """
    instrument = DEFAULT_INSTRUMENTS[0]
    trade = replay(plan_trade(signal, instrument, Parameters()), instrument, events)
    for name, follows in trade_as_json(trade, events).items():
        if name not in _OF_THE_INSTRUMENT and printed[name] != follows:
            return f"{name} {printed[name]}, its events say {follows}"
    return None
