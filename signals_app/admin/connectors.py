"""Connectors: who sends ticks, who is silent, and who is cut off."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from signals_app.admin.base import (
    BAD,
    BUSY,
    GOOD,
    BoundedPaginator,
    ModelAdmin,
    ReadOnlyAdmin,
    labelled,
    moment,
    simulated_badge,
    since,
)
from signals_app.models import Connector, ConnectorEvent

#: A connector gives a heartbeat every 30 seconds.
_SILENT_AFTER = timedelta(seconds=60)


@admin.register(Connector)
class ConnectorAdmin(ModelAdmin):
    """Lets connectors in and cuts them off."""

    list_display = ("name", "kind", "state", "heard", "carries", "parts")
    list_filter = ("is_revoked",)
    search_fields = ("name",)
    ordering = ("name",)
    show_full_result_count = False
    fields = ("name", "kind", "symbols", "is_revoked", "state", "heard", "parts", "created_at")
    actions = ("revoke", "let_in_again")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """Return what the gateway writes; a connector keeps its name."""
        written = ("kind", "state", "heard", "parts", "created_at")
        return written if obj is None else (*written, "name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Connectors are revoked, not removed: their ticks name them."""
        return False

    @admin.display(description="ticks")
    def kind(self, connector: Connector) -> SafeString | str:
        """Return a badge where its ticks are made up."""
        return simulated_badge(connector.is_simulated) or "real"

    @labelled("state", {"revoked": BAD, "connected": GOOD, "silent": BUSY, "never seen": ""})
    def state(self, connector: Connector) -> str:
        """Return whether it is here."""
        if connector.is_revoked:
            return "revoked"
        if connector.last_seen is None:
            return "never seen"
        is_here = timezone.now() - connector.last_seen < _SILENT_AFTER
        return "connected" if is_here else "silent"

    @admin.display(description="last heard", ordering="last_seen")
    def heard(self, connector: Connector) -> str:
        """Return how long ago it was heard of."""
        return since(connector.last_seen)

    @admin.display(description="symbols")
    def carries(self, connector: Connector) -> str:
        """Return what it may send."""
        return ", ".join(connector.symbols) or "-"

    @admin.display(description="roles")
    def parts(self, connector: Connector) -> str:
        """Return its part for each symbol."""
        roles = connector.roles.items()
        return ", ".join(f"{symbol} {role}" for symbol, role in sorted(roles)) or "-"

    @admin.action(description="Revoke: cut off within five seconds", permissions=("change",))
    def revoke(self, request: HttpRequest, connectors: "models.QuerySet[Connector]") -> None:
        """Cut the chosen connectors off."""
        number = connectors.filter(is_revoked=False).update(is_revoked=True)
        self.message_user(request, f"{number} revoked.", messages.WARNING)

    @admin.action(description="Let in again", permissions=("change",))
    def let_in_again(self, request: HttpRequest, connectors: "models.QuerySet[Connector]") -> None:
        """Take the revocation of the chosen connectors back."""
        number = connectors.filter(is_revoked=True).update(is_revoked=False)
        self.message_user(request, f"{number} may connect again.", messages.SUCCESS)


@admin.register(ConnectorEvent)
class ConnectorEventAdmin(ReadOnlyAdmin):
    """What connectors reported, newest first."""

    list_display = ("at", "connector", "code", "symbol", "message")
    list_filter = ("code",)
    search_fields = ("connector", "message")
    ordering = ("-happened_at",)
    paginator = BoundedPaginator

    @admin.display(description="time (UTC)", ordering="happened_at")
    def at(self, event: ConnectorEvent) -> SafeString | str:
        """Return when it happened."""
        return moment(event.happened_at)
