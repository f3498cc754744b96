"""What admin pages are made of: unfold's classes, typed, and rows that only the pipeline writes."""

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import structlog
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    # unfold has no types; its classes are Django's with another look, which know no brackets.
    UnfoldAdmin: TypeAlias = admin.ModelAdmin[Any]
    TabularInline: TypeAlias = admin.TabularInline[Any, Any]
    Pages: TypeAlias = Paginator[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin
    from unfold.admin import TabularInline

    Pages = Paginator

__all__ = ("BoundedPaginator", "ModelAdmin", "ReadOnlyAdmin", "ReadOnlyInline", "TabularInline")

log = structlog.get_logger(__name__)

#: No list is counted further than this: older rows are found by its filters.
COUNTED_ROWS = 10_000


class BoundedPaginator(Pages):
    """Counts to a limit, so that a table of millions opens as fast as a small one."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or the limit where there are more."""
        rows = cast("models.QuerySet[Any]", self.object_list)
        return rows[:COUNTED_ROWS].count()


class ModelAdmin(UnfoldAdmin):
    """A page of the admin whose list takes whatever its address asks for."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; raises `IncorrectLookupParameters` for days that no calendar has.

        Django answers that by the whole list. It reckons with the years of an address unasked.
        """
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as wrong:
            log.warning("filter_refused", path=request.path, detail=str(wrong))
            raise IncorrectLookupParameters from wrong


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
