"""The endpoint of measured probabilities: what history says of each kind of event."""

from typing import ClassVar

import django_filters
from rest_framework import generics, serializers

from signals_app.api.serializers import RowSerializer
from signals_app.market.candle import TIMEFRAMES
from signals_app.models import MeasuredProbability
from signals_app.probability.estimate import EventType, MeasuredEventKind
from signals_app.smc.measures import Bias


class ProbabilityFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Probabilities of an instrument, a timeframe, a kind of event, a direction."""

    instrument = django_filters.CharFilter()
    timeframe = django_filters.ChoiceFilter(choices=[(str(each), str(each)) for each in TIMEFRAMES])
    event = django_filters.ChoiceFilter(
        "event_type", choices=[(each.value, each.value) for each in EventType]
    )
    kind = django_filters.ChoiceFilter(
        "event_kind", choices=[(each.value, each.value) for each in MeasuredEventKind]
    )
    direction = django_filters.ChoiceFilter(
        choices=[(each.value, each.value) for each in (Bias.BULLISH, Bias.BEARISH)]
    )


class ProbabilitySerializer(RowSerializer):
    """One bucket as `manage.py calibrate --json` prints it, with its market and calibration."""

    event = serializers.CharField(source="event_type", help_text="what happened")
    kind = serializers.CharField(source="event_kind", help_text="how it happened")

    class Meta:
        model = MeasuredProbability
        fields: ClassVar = (
            "instrument",
            "timeframe",
            "event",
            "kind",
            "direction",
            "tercile",
            "score_above",
            "score_to",
            "n",
            "wins",
            "p0",
            "p",
            "low",
            "high",
            "placebo",
            "placebo_n",
            "data_from",
            "data_to",
            "made_at",
        )
        read_only_fields = fields


class ProbabilityList(generics.ListAPIView[MeasuredProbability]):
    """The calibration in use of each market, bucket by bucket; `p` is null where not measured."""

    queryset = MeasuredProbability.objects.in_use()
    serializer_class = ProbabilitySerializer
    filterset_class = ProbabilityFilter
    ordering = ("pk",)
