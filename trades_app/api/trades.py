"""Trades over HTTP: the list without their events, one trade with them."""

from typing import Any, ClassVar

import django_filters
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound

from signals_app.api.filters import between
from signals_app.api.serializers import RowSerializer
from signals_app.market.direction import Direction
from signals_app.market.encoding import keys_of
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.exported import TRADE_KEYS, trade_as_json
from trades_app.lifecycle.trade import TradeStatus
from trades_app.models import Trade, TradeEvent

#: What the API shows of a trade beside what exports print, each behind its neighbour there.
_BESIDE = {"lots": "remaining_lots", "r_multiple": "initial_risk", "partial_closes": "expires_at"}
_LISTED = (
    "trade_id",
    *(
        name
        for key in TRADE_KEYS
        if key != "events"
        for name in (key, _BESIDE.get(key))
        if name is not None
    ),
)


class PartialCloseSerializer(serializers.Serializer[Any]):
    """Lots that were closed."""

    kind = serializers.CharField()
    time = serializers.DateTimeField()
    price = serializers.FloatField()
    lots = serializers.FloatField()
    profit = serializers.FloatField()
    pips = serializers.FloatField()


class EventSerializer(RowSerializer):
    """One transition, and the tick that caused it."""

    class Meta:
        model = TradeEvent
        fields: ClassVar = (*keys_of(core.TradeEvent), "found_late_seconds")
        read_only_fields = fields


class TradeSerializer(RowSerializer):
    """A trade as it stands. `profit_loss` is realised so far, net of costs."""

    signal_id = serializers.CharField()
    exit_reason = serializers.CharField(allow_null=True, help_text="null while it is open")
    r_multiple = serializers.FloatField(
        allow_null=True, help_text="profit so far in units of the initial risk"
    )
    partial_closes = PartialCloseSerializer(many=True)

    class Meta:
        model = Trade
        fields: ClassVar = _LISTED
        read_only_fields = fields

    def to_representation(self, instance: Trade) -> dict[str, Any]:
        """The trade as exports and backtests print it, with its number and what remains.

        The fields above describe it; walking through them would take most of a page's time.
        """
        events = self.events_of(instance)
        printed = trade_as_json(instance.value(), events, internal=True)
        printed["trade_id"] = instance.trade_id
        return {name: printed[name] for name in self.Meta.fields}

    def events_of(self, trade: Trade) -> list[core.TradeEvent]:  # noqa: ARG002
        return []


class TradeDetailSerializer(TradeSerializer):
    """A trade with all that happened to it, in order."""

    events = EventSerializer(many=True)

    class Meta(TradeSerializer.Meta):
        fields: ClassVar = (*TradeSerializer.Meta.fields, "events")
        read_only_fields = fields

    def events_of(self, trade: Trade) -> list[core.TradeEvent]:
        """All events, in order."""
        return [event.value() for event in trade.events.all()]

    def to_representation(self, instance: Trade) -> dict[str, Any]:
        """The trade with when each event was found, which no backtest can know."""
        shown = super().to_representation(instance)
        for event, row in zip(shown["events"], instance.events.all(), strict=True):
            event["found_late_seconds"] = row.found_late_seconds
        return shown


class TradeFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Trades of an instrument, a direction, a status, a time of entry."""

    instrument = django_filters.CharFilter()
    direction = django_filters.ChoiceFilter(
        choices=[(each.value, each.value) for each in Direction]
    )
    status = django_filters.ChoiceFilter(choices=[(each.value, each.value) for each in TradeStatus])
    locals().update(between("entry_time"))


class TradeList(generics.ListAPIView[Trade]):
    """All trades, the newest first."""

    queryset = Trade.objects.all()
    serializer_class = TradeSerializer
    filterset_class = TradeFilter
    ordering = ("-trade_id",)


class ActiveTradeList(TradeList):
    """The trades that ticks still move, the newest first."""

    queryset = Trade.objects.open()


class TradeDetail(generics.RetrieveAPIView[Trade]):
    """One trade and its events."""

    queryset = Trade.objects.prefetch_related("events")
    serializer_class = TradeDetailSerializer
    lookup_url_kwarg = "trade_id"

    def get_object(self) -> Trade:
        trade_id = self.kwargs["trade_id"]
        found = self.get_queryset().filter(pk=trade_id).first()
        if found is None:
            raise NotFound(f"There is no trade {trade_id}.")
        return found
