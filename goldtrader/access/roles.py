"""The roles of the admin: groups that the product makes, and what their members may do.

Users, groups, the timetable and keys of the whole API belong to superusers alone, whatever rights
somebody was given.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db import connection, transaction
from django.db.models import Q

from goldtrader.models import ApiKey
from signals_app.models import AuditEntry


class StaffRole(StrEnum):
    """What somebody does here; each may also do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


_SEEN = {
    "signals_app": (
        "analysis",
        "connector",
        "connectorevent",
        "decision",
        "instrument",
        "measuredprobability",
        "pricecandle",
        "signal",
        "strategy",
        "streamposition",
    ),
    "trades_app": ("channel", "message", "shadowtrade", "trade", "tradeevent"),
    "reports_app": ("performancemetric",),
}
#: What whoever reads everything may see.
VIEWS = frozenset(f"{app}.view_{model}" for app, models in _SEEN.items() for model in models)
#: Closing and cancelling trades, sending messages again, cutting connectors off.
OPERATES = VIEWS | {
    "signals_app.revoke_connector",
    "trades_app.change_message",
    "trades_app.change_trade",
}
#: What is traded and how, who sends ticks, where messages go, keys that change nothing, the audit.
ADMINISTERS = OPERATES | {
    "goldtrader.add_apikey",
    "goldtrader.change_apikey",
    "goldtrader.view_apikey",
    "signals_app.add_connector",
    "signals_app.add_instrument",
    "signals_app.change_connector",
    "signals_app.change_instrument",
    "signals_app.change_strategy",
    "signals_app.view_auditentry",
    "trades_app.add_channel",
    "trades_app.change_channel",
}
RIGHTS = {
    StaffRole.VIEWER: VIEWS,
    StaffRole.OPERATOR: OPERATES,
    StaffRole.ADMINISTRATOR: ADMINISTERS,
}


def make_groups(**_: Any) -> None:
    """Make each role's group, with just its rights; called after every migration.

    What was changed about them by hand is undone: make groups of your own beside them.
    """
    if AuditEntry._meta.db_table not in connection.introspection.table_names():
        return  # not all the way migrated
    with transaction.atomic():
        for role, rights in RIGHTS.items():
            group, _created = Group.objects.get_or_create(name=role.value)
            group.permissions.set(_permissions(rights))


def may_give(user: User | AnonymousUser, scope: str) -> bool:
    """Whether a user may make and change keys of this scope: none that can do more than he may."""
    if user.is_superuser:
        return True
    if scope == ApiKey.Scope.READ:
        return user.has_perms(VIEWS)
    if scope == ApiKey.Scope.CONNECTOR:
        return user.has_perm("signals_app.change_connector")
    return False


def _permissions(rights: Iterable[str]) -> list[Permission]:
    wanted = Q()
    for right in rights:
        app, _, codename = right.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return list(Permission.objects.filter(wanted))
