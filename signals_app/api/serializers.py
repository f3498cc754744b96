"""How rows look as JSON: prices and money are numbers, times ISO 8601 UTC."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers

from signals_app.confluence.signal import TradingSignal
from signals_app.connector_names import CONNECTOR_NAME, LONGEST_NAME
from signals_app.market import calendar
from signals_app.market.candle import Candle, candle_as_json
from signals_app.market.encoding import as_json, keys_of
from signals_app.market.symbols import SYMBOL
from signals_app.models import Connector, Decision, PriceCandle, Signal


class TimeField(serializers.DateTimeField):
    """A time as the whole product prints it: with milliseconds only where there are any."""

    def to_representation(self, value: datetime) -> str:
        """The time as ISO 8601 UTC."""
        return calendar.iso(calendar.milliseconds(value))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else calendar.iso(calendar.milliseconds(moment))


class RowSerializer(serializers.ModelSerializer[Any]):
    """A read-only row; its decimals are JSON numbers."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: TimeField,
    }

    def build_standard_field(
        self, field_name: str, model_field: "models.Field[Any, Any]"
    ) -> tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]:
        if isinstance(model_field, models.DecimalField):
            return serializers.FloatField, {"read_only": True, "allow_null": model_field.null}
        found: tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]] = (
            super().build_standard_field(field_name, model_field)
        )
        return found


#: What was measured of a signal beside what it says.
_PROBABILITY = (*Signal.measured_columns.names.values(), "probability_of")


#: Where a signal stands, and what decided it.
_STANDING: Mapping[str, Callable[[Signal], Any]] = {
    "status": attrgetter("status"),
    "strategy": lambda signal: str(signal.strategy),
    "created_at": lambda signal: _time(signal.created_at),
}


class SignalSerializer(RowSerializer):
    """A signal with every field of `TradingSignal`, where it stands, and what decided it."""

    confluence_factors = serializers.ListField(child=serializers.CharField())
    entry_time = serializers.DateTimeField(help_text="time of the entry tick")
    strategy = serializers.CharField(help_text="name and version of the parameters")

    class Meta:
        model = Signal
        fields: ClassVar = (
            *keys_of(TradingSignal),
            *_PROBABILITY,
            *_STANDING,
        )
        read_only_fields = fields

    def to_representation(self, instance: Signal) -> dict[str, Any]:
        """The signal as exports and backtests print it, and where it stands.

        The fields above describe it; walking through them would take most of a page's time.
        """
        return {
            **as_json(instance.value()),
            **{name: getattr(instance, name) for name in _PROBABILITY},
            **{name: read(instance) for name, read in _STANDING.items()},
        }


#: What is printed of a decision, in order.
_DECISION: Mapping[str, Callable[[Decision], Any]] = {
    "instrument": attrgetter("instrument"),
    "timestamp": lambda decision: calendar.iso(decision.close_time_ms),
    "outcome": attrgetter("outcome"),
    "direction": attrgetter("direction"),
    "score": lambda decision: None if decision.score is None else float(decision.score),
    "reason": attrgetter("reason"),
    "text": attrgetter("text"),
    "strategy": lambda decision: None if decision.strategy is None else str(decision.strategy),
    "entry_time": lambda decision: (
        None if decision.entry_time_ms is None else calendar.iso(decision.entry_time_ms)
    ),
    "entry_ordinal": attrgetter("entry_ordinal"),
    "decided_at": lambda decision: _time(decision.decided_at),
}


class DecisionSerializer(RowSerializer):
    """An M15 close and what came of it; `reason` and `text` say why there is no signal."""

    instrument = serializers.CharField(help_text="symbol")
    timestamp = serializers.DateTimeField(help_text="close of the candle")
    strategy = serializers.CharField(
        allow_null=True, help_text="name and version that decided; null before that"
    )
    entry_time = serializers.DateTimeField(
        allow_null=True, help_text="time of the entry tick; null: none came yet"
    )

    class Meta:
        model = Decision
        fields: ClassVar = tuple(_DECISION)
        read_only_fields = fields

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        return {name: read(instance) for name, read in _DECISION.items()}


class CandleSerializer(RowSerializer):
    """A closed candle; `time` is its opening."""

    time = serializers.DateTimeField(help_text="opening time")

    class Meta:
        model = PriceCandle
        fields: ClassVar = keys_of(Candle)
        read_only_fields = fields

    def to_representation(self, instance: PriceCandle) -> dict[str, Any]:
        """The candle as `manage.py candles` prints it."""
        return candle_as_json(instance.value())


class ConnectorSerializer(RowSerializer):
    """A connector: what it may send, which part it plays, and when it was heard of."""

    symbols = serializers.ListField(child=serializers.CharField())
    roles = serializers.DictField(
        child=serializers.CharField(), help_text="active or standby, by symbol"
    )
    is_simulated = serializers.BooleanField(help_text="its ticks are made up")

    class Meta:
        model = Connector
        fields: ClassVar = (
            "name",
            "symbols",
            "roles",
            "is_simulated",
            "is_revoked",
            "last_seen",
            "created_at",
        )
        read_only_fields = fields


class ConfigurationSerializer(serializers.Serializer[Any]):
    """The strategy that decides now, with every parameter's value."""

    strategy = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    parameters = serializers.DictField()


class TokenRequestSerializer(serializers.Serializer[Mapping[str, Any]]):
    """Which connector wants a token, and for which symbols."""

    name = serializers.RegexField(rf"^{CONNECTOR_NAME.pattern}$", max_length=LONGEST_NAME)
    symbols = serializers.ListField(
        child=serializers.RegexField(rf"^{SYMBOL.pattern}$", max_length=20),
        min_length=1,
        max_length=100,
    )


class TokenSerializer(serializers.Serializer[Mapping[str, Any]]):
    """A connector's token and when it ends."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
