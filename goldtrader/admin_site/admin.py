"""The admin as a whole: its users, the API's keys, and the title of its first page."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_celery_beat.models import ClockedSchedule, SolarSchedule
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from goldtrader.access.roles import may_give
from goldtrader.admin_site.superusers import SuperusersAlone
from goldtrader.models import ApiKey
from signals_app.admin.base import ModelAdmin

if TYPE_CHECKING:
    BaseUserAdmin: TypeAlias = DjangoUserAdmin[User]
else:
    BaseUserAdmin = DjangoUserAdmin

# Our own keys replace the package's; the timetable has no solar and no single schedules.
for unused in (APIKey, ClockedSchedule, SolarSchedule):
    admin.site.unregister(unused)
# These have pages of our own, for superusers.
for ours in (User, Group):
    admin.site.unregister(ours)
admin.site.index_title = "Now"
admin.site.index_template = "goldtrader/status.html"


@admin.register(User)
class UserAdmin(SuperusersAlone, BaseUserAdmin, ModelAdmin):
    """Users. Whoever could change them could be anybody."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(SuperusersAlone, DjangoGroupAdmin, ModelAdmin):
    """Groups: the roles that the product makes, and others."""


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin, ModelAdmin):
    """The API's keys. A new one is shown once, after saving.

    Nobody makes or changes a key that may do more than himself.
    """

    list_display = ("name", "scope", "prefix", "created", "expiry_date", "revoked")
    list_filter = ("scope", "revoked")  # type: ignore[assignment]
    fields = ("name", "scope", "symbols", "expiry_date", "revoked", "prefix")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and bool(_scopes(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or may_give(request.user, obj.scope))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Keys are revoked; only superusers remove them."""
        return bool(request.user.is_superuser)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The scopes that this user may give."""
        if db_field.name == "scope":
            kwargs["choices"] = _scopes(request)
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What a key keeps once it is made."""
        fixed: tuple[str, ...] = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "scope")


def _scopes(request: HttpRequest) -> list[tuple[str, str]]:
    return [each for each in ApiKey.Scope.choices if may_give(request.user, each[0])]
