"""Signals and trades read back from the JSON that `manage.py export` and backtests print. Pure.

Each function raises `KeyError`, `ValueError`, `TypeError` or `ArithmeticError` where its argument
is something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import milliseconds
from signals_app.market.direction import Direction
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, as_decimal
from trades_app.lifecycle.machine import (
    EventKind,
    TradeEvent,
    TradeStatus,
    plan_trade,
    trade_as_json,
)
from trades_app.lifecycle.record import retell

#: What a reader without the instrument's settings cannot compute again.
_OF_THE_INSTRUMENT = frozenset({"profit_loss_pips", "r_multiple"})


def signal_from_json(told: Mapping[str, Any]) -> TradingSignal:
    """Return the signal that `signal_as_json` told."""
    converted: dict[str, Any] = {
        "direction": Direction(told["direction"]),
        "position_size": _decimal(told["position_size"]),
        "confluence_factors": tuple(told["confluence_factors"]),
        "timestamp_ms": _milliseconds(told["timestamp"]),
        "entry_time_ms": _milliseconds(told["entry_time"]),
        "entry_ordinal": int(told["entry_ordinal"]),
    }
    names = [field.name for field in fields(TradingSignal) if field.name not in converted]
    # A program in between may have written a float without its point.
    as_told: dict[str, Any] = {
        name: float(told[name]) if isinstance(told[name], int) else told[name] for name in names
    }
    return TradingSignal(**as_told, **converted)


def event_from_json(told: Mapping[str, Any]) -> TradeEvent:
    """Return the event that `event_as_json` told."""
    return TradeEvent(
        kind=EventKind(told["kind"]),
        before=TradeStatus(told["before"]),
        after=TradeStatus(told["after"]),
        time_ms=_milliseconds(told["time"]),
        ordinal=int(told["ordinal"]),
        price=None if told["price"] is None else as_decimal(told["price"]),
        lots=_decimal(told["lots"]),
        profit=_decimal(told["profit"]),
        pips=_decimal(told["pips"]),
        stop_loss=as_decimal(told["stop_loss"]),
    )


def disagreement(
    told: Mapping[str, Any], signal: TradingSignal, events: Sequence[TradeEvent]
) -> str | None:
    """Return what ``told`` says of a trade that does not follow from its signal and events.

    `None` where all of it does; pips and multiples of the risk are not looked at. Raises
    `InvalidTransition` where the events do not follow from each other.
    """
    instrument = DEFAULT_INSTRUMENTS[0]
    trade = retell(plan_trade(signal, instrument, Parameters()), instrument, events)
    for name, follows in trade_as_json(trade, events).items():
        if name not in _OF_THE_INSTRUMENT and told[name] != follows:
            return f"{name} {told[name]}, its events say {follows}"
    return None


def _milliseconds(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
