"""The strategy that decides: a change of its parameters is a new version."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import Max

from signals_app.confluence.limits import (
    LIMITS,
    BadParameter,
    changed,
    check_order,
    check_values,
)
from signals_app.confluence.parameters import Parameters
from signals_app.models import Strategy
from signals_app.services.decisions import parameters_of

__all__ = (
    "LIMITS",
    "BadParameter",
    "add_version",
    "any_in_shadow",
    "change_parameters",
    "check_order",
    "check_values",
)


def change_parameters(changes: Mapping[str, Any]) -> Strategy:
    """Make the next version of the live strategy, with these parameters changed; return it.

    Changes that change nothing make no version. Raises `BadParameter`.
    """
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
    with transaction.atomic():
        live = _locked_live()
        return _next_version(live, _changed(live, changes), Strategy.Status.RETIRED)


def any_in_shadow() -> bool:
    """Return whether a strategy runs beside the live one."""
    return Strategy.objects.in_shadow().exists()


def _locked_live() -> Strategy:
    Strategy.objects.live()
    return Strategy.objects.select_for_update().get(status=Strategy.Status.LIVE)


def _changed(strategy: Strategy, changes: Mapping[str, Any]) -> dict[str, Any]:
    return asdict(changed(parameters_of(strategy), changes))


def _next_version(
    live: Strategy, parameters: Mapping[str, Any], status: Strategy.Status
) -> Strategy:
    """Make the next version; whoever holds the live one's lock makes it alone."""
    versions = Strategy.objects.filter(name=live.name)
    latest = versions.aggregate(version=Max("version"))["version"]
    return Strategy.objects.create(
        name=live.name, version=latest + 1, parameters=_differences(parameters), status=status
    )


def _differences(parameters: Mapping[str, Any]) -> dict[str, Any]:
    defaults = asdict(Parameters())
    return {name: value for name, value in parameters.items() if value != defaults[name]}
