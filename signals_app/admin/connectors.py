"""Connectors: who sends ticks, who is silent, and who is cut off."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from signals_app.admin.base import BoundedPaginator, ModelAdmin, ReadOnlyAdmin
from signals_app.admin.display import (
    BAD,
    BUSY,
    GOOD,
    labelled,
    moment,
    simulated_badge,
    since,
)
from signals_app.models import Connector, ConnectorEvent
from signals_app.services.connectors import SILENT_AFTER, cut_off, let_in_again


@admin.register(Connector)
class ConnectorAdmin(ModelAdmin):
    """Who may connect; connectors are revoked and let in again here."""

    list_display = ("name", "kind", "state", "last_heard", "allowed_symbols", "roles_by_symbol")
    list_filter = ("is_revoked",)
    search_fields = ("name",)
    ordering = ("name",)
    show_full_result_count = False
    fields = (
        "name",
        "kind",
        "symbols",
        "owner",
        "is_revoked",
        "tokens_from",
        "state",
        "last_heard",
        "roles_by_symbol",
        "created_at",
    )
    actions = ("revoke", "let_in_again")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """What the gateway writes; and a connector keeps its name."""
        written = ("tokens_from", "kind", "state", "last_heard", "roles_by_symbol", "created_at")
        return written if obj is None else (*written, "name")

    def save_model(self, request: HttpRequest, obj: Connector, form: Any, change: bool) -> None:
        """Save what was changed on the page; revoking ends the connector's tokens too."""
        if change and "is_revoked" in form.changed_data and obj.is_revoked:
            obj.tokens_from = timezone.now()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Connectors are revoked, not removed: their ticks name them."""
        return False

    @admin.display(description="ticks")
    def kind(self, connector: Connector) -> SafeString | str:
        return simulated_badge(connector.is_simulated) or "real"

    @labelled("state", {"revoked": BAD, "connected": GOOD, "silent": BUSY, "never seen": ""})
    def state(self, connector: Connector) -> str:
        """Connected where its last heartbeat came in time."""
        if connector.is_revoked:
            return "revoked"
        if connector.last_seen is None:
            return "never seen"
        is_here = timezone.now() - connector.last_seen < SILENT_AFTER
        return "connected" if is_here else "silent"

    @admin.display(description="last heard", ordering="last_seen")
    def last_heard(self, connector: Connector) -> str:
        return since(connector.last_seen)

    @admin.display(description="symbols")
    def allowed_symbols(self, connector: Connector) -> str:
        return ", ".join(sorted(connector.may_send)) or "-"

    @admin.display(description="roles")
    def roles_by_symbol(self, connector: Connector) -> str:
        roles = connector.roles.items()
        return ", ".join(f"{symbol} {role}" for symbol, role in sorted(roles)) or "-"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Cutting off takes less than letting in again."""
        return self.has_change_permission(request) or request.user.has_perm(
            "signals_app.revoke_connector"
        )

    @admin.action(description="Revoke: cut off within five seconds", permissions=("revoke",))
    def revoke(self, request: HttpRequest, connectors: "models.QuerySet[Connector]") -> None:
        number = sum(map(cut_off, connectors))
        self.message_user(request, f"{number} revoked.", messages.WARNING)

    @admin.action(description="Let in again", permissions=("change",))
    def let_in_again(self, request: HttpRequest, connectors: "models.QuerySet[Connector]") -> None:
        number = sum(map(let_in_again, connectors))
        self.message_user(request, f"{number} may connect again.", messages.SUCCESS)


@admin.register(ConnectorEvent)
class ConnectorEventAdmin(ReadOnlyAdmin):
    """What connectors reported, newest first."""

    list_display = ("at", "connector", "code", "instrument", "message", "times")
    list_filter = ("code",)
    search_fields = ("connector", "message")
    ordering = ("-happened_at",)
    paginator = BoundedPaginator

    @admin.display(description="time (UTC)", ordering="happened_at")
    def at(self, event: ConnectorEvent) -> SafeString | str:
        return moment(event.happened_at)
