"""`/performance/daily`, `weekly` and `monthly`, computed from the trades as they stand."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from reports_app.services import Performance, Period, performance

_DEFAULT_LIMIT, _MAXIMUM_LIMIT = 50, 1000


class PerformanceSerializer(serializers.Serializer[Any]):
    """One instrument's day, week (from Monday) or month, in UTC.

    Trades count where they closed. Those that ended at exactly nothing neither win nor lose.
    """

    instrument = serializers.CharField()
    date = serializers.DateField(help_text="first day of the period")
    until = serializers.DateField(help_text="last day of the period")
    total_signals = serializers.IntegerField()
    closed_trades = serializers.IntegerField()
    winning_trades = serializers.IntegerField()
    losing_trades = serializers.IntegerField()
    win_rate = serializers.FloatField(allow_null=True, help_text="percent")
    average_rr = serializers.FloatField(
        allow_null=True, help_text="mean profit in units of the risk taken"
    )
    total_pips = serializers.FloatField()
    total_profit_loss = serializers.FloatField()


class _Query(forms.Form):
    """What a report can be narrowed to. `from` and `to` are added below: one is a keyword."""

    instrument = forms.CharField(required=False, max_length=20)
    limit = forms.IntegerField(required=False, min_value=1, max_value=_MAXIMUM_LIMIT)
    cursor = forms.RegexField(r"^\d{4}-\d\d-\d\d\.[^.]{1,20}$", required=False)
    locals().update({bound: IsoDateTimeField(required=False) for bound in ("from", "to")})


class PerformanceReport(APIView):
    """What the closed trades earned, the newest period first."""

    period = Period.DAILY

    @extend_schema(
        parameters=[
            OpenApiParameter("instrument", str),
            OpenApiParameter("from", str, description="ISO 8601 time; included"),
            OpenApiParameter("to", str, description="ISO 8601 time; excluded"),
            OpenApiParameter("limit", int, description=f"1 to {_MAXIMUM_LIMIT}"),
            OpenApiParameter("cursor", str, description="the page, as `next` gives it"),
        ],
        responses=inline_serializer(
            "PerformancePage",
            {
                "next": serializers.URLField(allow_null=True),
                "previous": serializers.URLField(allow_null=True),
                "results": PerformanceSerializer(many=True),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Answer one page."""
        query = _Query(request.query_params)
        if not query.is_valid():
            raise ValidationError(
                {name: [str(said) for said in messages] for name, messages in query.errors.items()}
            )
        asked = query.cleaned_data
        lines = performance(
            self.period,
            instrument=asked["instrument"] or None,
            since=asked["from"],
            before=asked["to"],
        )
        limit = asked["limit"] or _DEFAULT_LIMIT
        start = _place(lines, asked["cursor"])
        return Response(
            {
                "next": _page(request, lines, start + limit),
                "previous": _page(request, lines, max(start - limit, 0)) if start else None,
                "results": PerformanceSerializer(lines[start : start + limit], many=True).data,
            }
        )


def _cursor(line: Performance) -> str:
    return f"{line.date}.{line.instrument}"


def _place(lines: Sequence[Performance], cursor: str) -> int:
    """Return where the page of ``cursor`` begins, also where its own line is gone."""
    date, _, instrument = cursor.partition(".")
    if not cursor:
        return 0
    following = (
        place
        for place, line in enumerate(lines)
        if str(line.date) < date or (str(line.date) == date and line.instrument >= instrument)
    )
    return next(following, len(lines))


def _page(request: Request, lines: Sequence[Performance], place: int) -> str | None:
    url = request.build_absolute_uri()
    if place >= len(lines):
        return None
    if place == 0:
        return str(remove_query_param(url, "cursor"))
    return str(replace_query_param(url, "cursor", _cursor(lines[place])))
