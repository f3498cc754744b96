"""What admin pages are made of: unfold's classes, typed, and rows that only the pipeline writes."""

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    # unfold has no types; its classes are Django's with another look, which know no brackets.
    ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
    TabularInline: TypeAlias = admin.TabularInline[Any, Any]
    Pages: TypeAlias = Paginator[Any]
else:
    from unfold.admin import ModelAdmin, TabularInline

    Pages = Paginator

__all__ = ("BoundedPaginator", "ModelAdmin", "ReadOnlyAdmin", "ReadOnlyInline", "TabularInline")

#: No list is counted further than this: older rows are found by its filters.
COUNTED_ROWS = 10_000


class BoundedPaginator(Pages):
    """Counts to a limit, so that a table of millions opens as fast as a small one."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or the limit where there are more."""
        rows = cast("models.QuerySet[Any]", self.object_list)
        return rows[:COUNTED_ROWS].count()


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows that only the pipeline writes."""

    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    actions: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class ReadOnlyInline(TabularInline):
    """Shows what belongs to a row, in its order."""

    extra = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
