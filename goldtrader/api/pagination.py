"""Pages of long lists: `{"next","previous","results"}`, the newest first."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
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
