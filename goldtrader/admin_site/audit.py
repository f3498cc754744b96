"""The audit: who changed what, to be read, narrowed down and taken along as CSV."""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from signals_app.actor import Door
from signals_app.admin.base import ReadOnlyAdmin
from signals_app.admin.display import BUSY, GOOD, NEUTRAL, labelled, moment
from signals_app.admin.filters import ColumnFilter
from signals_app.models import AuditEntry
from signals_app.services.audited_rows import followed_models

_COLUMNS = (
    "at",
    "door",
    "who",
    "key",
    "address",
    "via",
    "action",
    "subject_type",
    "subject",
    "before",
    "after",
)
#: Programs for tables take what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 1000


class DoorFilter(ColumnFilter):
    title = "door"
    parameter_name = "door"

    def column_values(self) -> Iterator[str]:
        return iter(Door)


class SubjectFilter(ColumnFilter):
    """By the kind of what was changed."""

    title = "kind"
    parameter_name = "subject_type"

    def column_values(self) -> list[str]:
        others = ("trades_app.message", "trades_app.trade", "signals_app.pricecandle")
        return sorted({*(model._meta.label_lower for model in followed_models()), *others})


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Every change, newest first."""

    list_display = ("time", "door_label", "who", "address", "action", "kind", "subject", "change")
    list_filter = (DoorFilter, SubjectFilter)
    search_fields = ("who", "=key", "=address", "subject")
    search_help_text = "Who, subject, or exactly a key's id or an address"
    date_hierarchy = "at"
    ordering = ("-pk",)
    sortable_by = ()
    list_before_template = "goldtrader/audit_export.html"
    fieldsets = (
        (None, {"fields": ("time", ("who", "door_label"), ("key", "address"), "via")}),
        ("Change", {"fields": (("action", "kind"), "subject", "columns")}),
    )

    def get_urls(self) -> list[Any]:
        """The pages, with the one that gives the list as CSV."""
        export = path("csv", self.admin_site.admin_view(self.export), name="audit_csv")
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The entries that the list's filters leave, all of them, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            chosen = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest("These filters make no sense; choose them on the page.")
        return StreamingHttpResponse(
            _lines(chosen.order_by("-pk").iterator(chunk_size=_ROWS_AT_ONCE)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )

    @admin.display(description="time (UTC)", ordering="pk")
    def time(self, entry: AuditEntry) -> SafeString | str:
        return moment(entry.at)

    @labelled(
        "door",
        {Door.ADMIN: NEUTRAL, Door.API: GOOD, Door.COMMAND: BUSY, Door.BOT: GOOD, Door.SYSTEM: ""},
    )
    def door_label(self, entry: AuditEntry) -> str:
        return entry.door

    @admin.display(description="kind")
    def kind(self, entry: AuditEntry) -> str:
        return entry.subject_type.rpartition(".")[2] or "-"

    @admin.display(description="change")
    def change(self, entry: AuditEntry) -> str:
        """Which columns changed, and what to where there is only one."""
        names = sorted({*(entry.before or {}), *(entry.after or {})})
        if len(names) == 1 and entry.before and entry.after:
            (name,) = names
            return f"{name}: {_short(entry.before.get(name))} to {_short(entry.after.get(name))}"
        return ", ".join(names)[:120] or "-"

    @admin.display(description="before and after")
    def columns(self, entry: AuditEntry) -> SafeString:
        before, after = entry.before or {}, entry.after or {}
        rows = [
            (name, _written(before, name), _written(after, name))
            for name in sorted({*before, *after})
        ]
        cells = '<td class="pr-6 py-1 align-top break-words">{}</td>'
        lines = format_html_join("", f"<tr>{cells * 3}</tr>", rows)
        heads = '<th scope="col" class="pr-6 py-1 text-left">{}</th>'
        head = format_html(f"<tr>{heads * 3}</tr>", "Column", "Before", "After")
        return format_html('<table class="text-sm">{}{}</table>', head, lines)


def _lines(entries: Iterator[AuditEntry]) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    yield write(_COLUMNS)
    for entry in entries:
        yield write([_cell(getattr(entry, name)) for name in _COLUMNS])


class _Echo:
    """A file that gives back what is written, so that lines are sent as they are made."""

    write: Callable[[str], str] = staticmethod(lambda line: line)


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _written(values: dict[str, Any], name: str) -> str:
    if name not in values:
        return "-"
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"
