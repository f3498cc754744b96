"""What values each parameter may have: one answer for the admin, the API and every command."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from math import isfinite
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import DAY_MS

#: The smallest and the largest sensible value of each parameter.
LIMITS = MappingProxyType(
    {
        "threshold": (0, 100),
        "warm_up_candles": (1, 200),
        "maximum_entry_delay_ms": (0, DAY_MS),
        "stop_buffer_atr": (0, 10),
        "minimum_risk_atr": (0, 10),
        "maximum_risk_atr": (0.1, 100),
        "minimum_risk_spreads": (0, 1000),
        "target_buffer_atr": (0, 10),
        "take_profit_1_r": (0.1, 100),
        "take_profit_2_r": (0.1, 100),
        "minimum_risk_reward": (2, 100),
        "maximum_risk_reward": (2, 500),
        "risk_percentage": (0.01, 100),
        "maximum_open_trades": (0, 100),
        "zone_memory_hours": (0, 8760),
        "cool_down_minutes": (0, 525_600),
        "daily_loss_percentage": (0, 100),
        "weekly_close_minutes": (0, 10_080),
        "maximum_spread_pips": (0, 10_000),
        "maximum_trade_hours": (0.25, 8760),
        "commission_per_lot": (0, 10_000),
        "swap_per_lot_night_buy": (-10_000, 10_000),
        "swap_per_lot_night_sell": (-10_000, 10_000),
        "slippage_pips": (0, 1000),
    }
)
#: Which parameter must not be above which other one.
_ORDERED = (
    ("take_profit_1_r", "take_profit_2_r"),
    ("minimum_risk_reward", "maximum_risk_reward"),
    ("minimum_risk_atr", "maximum_risk_atr"),
)
_NAMES = tuple(field.name for field in fields(Parameters))
_TYPES = get_type_hints(Parameters)


class BadParameter(ValueError):  # noqa: N818 - the parameter is bad
    """A parameter that does not exist or cannot have this value; the text says why."""


def changed(parameters: Parameters, changes: Mapping[str, Any]) -> Parameters:
    """The parameters with these changes, each of its own type.

    Raises `BadParameter` where one does not exist, is outside its limits or contradicts another.
    """
    check_values(changes)
    wanted = replace(parameters, **{name: typed(name, value) for name, value in changes.items()})
    check_order(asdict(wanted))
    return wanted


def read_change(text: str) -> tuple[str, float | None]:
    """The name and the value of ``NAME=VALUE``; a limit that may be left out takes `none`.

    Raises `BadParameter` where it is not that, or no such parameter may have the value.
    """
    name, _, written = text.partition("=")
    value = read_value(name, written)
    check_value(name, value)
    return name, value


def read_value(name: str, written: str) -> float | None:
    """The value of a text; raises `BadParameter` where it is no number."""
    _check_name(name)
    written = written.strip()
    if written.lower() in ("none", "never") and type(None) in _kinds(name):
        return None
    try:
        return int(written) if _kinds(name) == (int,) else float(written)
    except ValueError:
        raise BadParameter(f"{f'{name}={written}'!r} is not a name, = and a number.") from None


def typed(name: str, value: Any) -> Any:
    """A value that `check_value` accepts, in the parameter's own type."""
    if value is None:
        return None
    return int(value) if _TYPES[name] is int else float(value)


def check_values(parameters: Mapping[str, Any]) -> None:
    """Raise `BadParameter` unless every parameter exists and may have its value."""
    for name, value in parameters.items():
        check_value(name, value)


def check_value(name: str, value: Any) -> None:
    """Raise `BadParameter` unless the parameter exists and may have this value."""
    _check_name(name)
    if value is None and type(None) in _kinds(name):
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise BadParameter(f"{name} must be a number, not {value!r}.")
    if _kinds(name) == (int,) and value != int(value):
        raise BadParameter(f"{name} must be a whole number, not {value!r}.")
    lowest, highest = LIMITS[name]
    if not lowest <= value <= highest:
        raise BadParameter(f"{name} must be from {lowest} to {highest}, not {value!r}.")


def check_order(parameters: Mapping[str, Any]) -> None:
    """Raise `BadParameter` where two of all parameters contradict each other."""
    for lower, upper in _ORDERED:
        if parameters[lower] > parameters[upper]:
            raise BadParameter(
                f"{lower} ({parameters[lower]}) must not be above {upper} ({parameters[upper]})."
            )


def _check_name(name: str) -> None:
    if name not in LIMITS:
        raise BadParameter(f"There is no parameter {name!r}; there are {', '.join(_NAMES)}.")


def _kinds(name: str) -> tuple[type, ...]:
    return get_args(_TYPES[name]) or (_TYPES[name],)


def _is_finite(number: float) -> bool:
    # A whole number may be too large to be asked as a float.
    return isinstance(number, int) or isfinite(number)
