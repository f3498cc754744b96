"""Pages of long lists: `{"next","previous","results"}`, the newest first."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.db import models
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

MAXIMUM_LIMIT = 1000


class CursorPages(CursorPagination):
    """Cursor pages in the order that the view names in `ordering`; `limit` rows each."""

    page_size = 50
    max_page_size = MAXIMUM_LIMIT
    page_size_query_param = "limit"
    page_size_query_description = f"Rows in a page, 1 to {MAXIMUM_LIMIT}; 50 where it is not given."

    def get_page_size(self, request: Request) -> int:
        """The rows of a page; raises `ValidationError` for a limit out of range."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        limit = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 9 else 0
        if not 1 <= limit <= MAXIMUM_LIMIT:
            raise ValidationError(f"limit must be a whole number from 1 to {MAXIMUM_LIMIT}.")
        return limit

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:  # noqa: ARG002
        """The view's order; its first field decides where a page ends."""
        ordering: tuple[str, ...] = view.ordering
        return ordering

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """The page that the request's cursor leads to."""
        self._ordered_by = _column(queryset, view.ordering[0])
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The request's cursor, if any; raises `NotFound` for one that no page gave."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                _check(self._ordered_by, str(cursor.position))
        except (BadValue, ValueError, OverflowError):
            raise NotFound(self.invalid_cursor_message) from None
        return cursor


def _column(rows: "models.QuerySet[Any]", name: str) -> "models.Field[Any, Any]":
    options, name = rows.model._meta, name.removeprefix("-")
    column = options.pk if name == "pk" else options.get_field(name)
    assert isinstance(column, models.Field)
    return column


def _check(column: "models.Field[Any, Any]", position: str) -> None:
    """Raise where no row can stand at this position."""
    value = column.to_python(position)
    column.run_validators(value)
    if isinstance(value, datetime):
        value.astimezone(UTC)
