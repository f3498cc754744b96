"""The strategy that decides: a change of its parameters is a new version."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from math import isfinite
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from django.db import transaction
from django.db.models import Max

from signals_app.confluence.parameters import Parameters
from signals_app.models import Strategy
from signals_app.services.decisions import parameters_of

#: The smallest and the largest sensible value of each parameter.
LIMITS = MappingProxyType(
    {
        "threshold": (0, 100),
        "warm_up_candles": (1, 200),
        "maximum_entry_delay_ms": (0, 86_400_000),
        "stop_buffer_atr": (0, 10),
        "minimum_risk_atr": (0, 10),
        "maximum_risk_atr": (0.1, 100),
        "minimum_risk_spreads": (0, 1000),
        "target_buffer_atr": (0, 10),
        "take_profit_1_r": (0.1, 100),
        "take_profit_2_r": (0.1, 100),
        "minimum_risk_reward": (0, 100),
        "maximum_risk_reward": (0.1, 1000),
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


def change_parameters(changes: Mapping[str, Any]) -> Strategy:
    """Make the next version of the live strategy, with these parameters changed; return it.

    Changes that change nothing make no version. Raises `BadParameter`.
    """
    check_values(changes)
    with transaction.atomic():
        live = _locked_live()
        wanted = _changed(live, changes)
        if wanted == asdict(parameters_of(live)):
            return live
        Strategy.objects.filter(pk=live.pk).update(status=Strategy.Status.RETIRED)
        return _next_version(live, wanted, Strategy.Status.LIVE)


def add_version(changes: Mapping[str, Any]) -> Strategy:
    """Make a version that decides nothing: the live one's parameters, with these changed.

    The live one stays live. Raises `BadParameter`.
    """
    check_values(changes)
    with transaction.atomic():
        live = _locked_live()
        return _next_version(live, _changed(live, changes), Strategy.Status.RETIRED)


def any_in_shadow() -> bool:
    """Return whether a strategy runs beside the live one."""
    return Strategy.objects.in_shadow().exists()


def check_values(parameters: Mapping[str, Any]) -> None:
    """Raise `BadParameter` unless every parameter exists and may have its value."""
    for name, value in parameters.items():
        check_value(name, value)


def check_value(name: str, value: Any) -> None:
    """Raise `BadParameter` unless the parameter exists and may have this value."""
    if name not in LIMITS:
        raise BadParameter(f"There is no parameter {name!r}; there are {', '.join(_NAMES)}.")
    kinds = get_args(_TYPES[name]) or (_TYPES[name],)
    if value is None and type(None) in kinds:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise BadParameter(f"{name} must be a number, not {value!r}.")
    if kinds == (int,) and value != int(value):
        raise BadParameter(f"{name} must be a whole number, not {value!r}.")
    lowest, highest = LIMITS[name]
    if not lowest <= value <= highest:
        raise BadParameter(f"{name} must be from {lowest} to {highest}, not {value!r}.")


def check_order(parameters: Mapping[str, Any]) -> None:
    """Raise `BadParameter` where of all parameters together two contradict each other."""
    for lower, upper in _ORDERED:
        if parameters[lower] > parameters[upper]:
            raise BadParameter(
                f"{lower} ({parameters[lower]}) must not be above {upper} ({parameters[upper]})."
            )


def _locked_live() -> Strategy:
    Strategy.objects.live()
    return Strategy.objects.select_for_update().get(status=Strategy.Status.LIVE)


def _changed(strategy: Strategy, changes: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: _typed(name, value) for name, value in changes.items()}
    wanted = asdict(parameters_of(strategy)) | typed
    check_order(wanted)
    return wanted


def _next_version(
    live: Strategy, parameters: Mapping[str, Any], status: Strategy.Status
) -> Strategy:
    """Make the next version; whoever holds the live one's lock makes it alone."""
    versions = Strategy.objects.filter(name=live.name)
    latest = versions.aggregate(version=Max("version"))["version"]
    return Strategy.objects.create(
        name=live.name, version=latest + 1, parameters=_differences(parameters), status=status
    )


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    return int(value) if _TYPES[name] is int else float(value)


def _differences(parameters: Mapping[str, Any]) -> dict[str, Any]:
    defaults = asdict(Parameters())
    return {name: value for name, value in parameters.items() if value != defaults[name]}
