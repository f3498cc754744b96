"""Which strategy decides: a change of its parameters is a new version."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max

from signals_app.confluence.limits import BadParameter, changed
from signals_app.confluence.parameters import Parameters
from signals_app.models import Strategy
from signals_app.services.locks import lock_strategies

log = structlog.get_logger(__name__)


class NotPossible(Exception):  # noqa: N818 - it says what is the matter
    """The strategy's status does not allow what was asked; the text is for the operator."""


def change_parameters(changes: Mapping[str, Any]) -> Strategy:
    """Make the next version of the live strategy, with these parameters changed; return it.

    Changes that change nothing make no version. Two callers at once change one after the other.
    Raises `BadParameter`.
    """
    with transaction.atomic():
        lock_strategies()
        live = Strategy.objects.live()
        wanted = _changed(live, changes)
        if wanted == asdict(live.value()):
            return live
        _retire(live)
        made = _next_version(live, wanted, Strategy.Status.LIVE)
    log.info("strategy_live", strategy=str(made), before=str(live))
    return made


def make_live(strategy_id: int) -> Strategy:
    """Let a version decide the closes that are not decided yet; return it.

    The one that was live is retired in the same moment. One in shadow leaves it, and its open
    trades run on to their end. Raises `NotPossible`.
    """
    with transaction.atomic():
        lock_strategies()
        strategy = Strategy.objects.select_for_update(no_key=True).get(pk=strategy_id)
        if strategy.status == Strategy.Status.LIVE:
            raise NotPossible(f"{strategy} is live already.")
        try:
            # Limits may have become narrower since it was made.
            changed(Parameters(), strategy.differences())
        except BadParameter as bad:
            raise NotPossible(f"{strategy} cannot be live: {bad}") from None
        for other in Strategy.objects.filter(status=Strategy.Status.LIVE):
            _retire(other)
        strategy.status = Strategy.Status.LIVE
        strategy.save(update_fields=("status",))
    log.info("strategy_live", strategy=str(strategy))
    return strategy


def add_version(changes: Mapping[str, Any]) -> Strategy:
    """Make a version that decides nothing: the live one's parameters, with these changed.

    The live one stays live. Raises `BadParameter`.
    """
    with transaction.atomic():
        lock_strategies()
        live = Strategy.objects.live()
        return _next_version(live, _changed(live, changes), Strategy.Status.RETIRED)


def version_id(version: int) -> int:
    """The key of a version of the newest strategy. Raises `NotPossible`."""
    newest = Strategy.objects.order_by("-pk").values("name")[:1]
    found = Strategy.objects.filter(name=newest, version=version).first()
    if found is None:
        raise NotPossible(f"There is no version {version}.")
    return found.pk


def any_in_shadow() -> bool:
    """Whether a strategy runs beside the live one."""
    return Strategy.objects.in_shadow().exists()


def _retire(strategy: Strategy) -> None:
    strategy.status = Strategy.Status.RETIRED
    strategy.save(update_fields=("status",))


def _changed(strategy: Strategy, changes: Mapping[str, Any]) -> dict[str, Any]:
    return asdict(changed(strategy.value(), changes))


def _next_version(
    live: Strategy, parameters: Mapping[str, Any], status: Strategy.Status
) -> Strategy:
    """Make the next version; whoever holds the strategies' lock makes it alone."""
    versions = Strategy.objects.filter(name=live.name)
    latest = versions.aggregate(version=Max("version"))["version"]
    return Strategy.objects.create(
        name=live.name, version=latest + 1, parameters=_differences(parameters), status=status
    )


def _differences(parameters: Mapping[str, Any]) -> dict[str, Any]:
    defaults = asdict(Parameters())
    return {name: value for name, value in parameters.items() if value != defaults[name]}
