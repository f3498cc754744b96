"""The admin as a whole: its users, the API's keys, and the title of its first page."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_celery_beat.models import ClockedSchedule, SolarSchedule
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from goldtrader.models import ApiKey
from signals_app.admin.base import ModelAdmin

if TYPE_CHECKING:
    BaseUserAdmin: TypeAlias = DjangoUserAdmin[User]
else:
    BaseUserAdmin = DjangoUserAdmin

# Our own keys replace the package's; the timetable has no solar and no single schedules.
for unused in (APIKey, Group, ClockedSchedule, SolarSchedule):
    admin.site.unregister(unused)
admin.site.unregister(User)
admin.site.index_title = "Now"
admin.site.index_template = "goldtrader/status.html"


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin, ModelAdmin):
    """The API's keys. A new one is shown once, after saving."""

    list_display = ("name", "scope", "prefix", "created", "expiry_date", "revoked")
    list_filter = ("scope", "revoked")  # type: ignore[assignment]
    fields = ("name", "scope", "symbols", "expiry_date", "revoked", "prefix")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What a key keeps once it is made."""
        fixed: tuple[str, ...] = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "scope")
