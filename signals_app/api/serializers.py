"""How rows look as JSON: prices and money are numbers, times ISO 8601 UTC."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers

from signals_app.confluence.signal import TradingSignal
from signals_app.market import calendar
from signals_app.market.encoding import as_json, keys_of
from signals_app.models import Connector, Decision, PriceCandle, Signal


class TimeField(serializers.DateTimeField):
    """A time as the whole product prints it: with milliseconds only where there are any."""

    def to_representation(self, value: datetime) -> str:
        """The time as ISO 8601 UTC."""
        return calendar.iso(calendar.milliseconds(value))


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
            *("status", "strategy", "created_at"),
        )
        read_only_fields = fields

    def to_representation(self, instance: Signal) -> dict[str, Any]:
        """The signal as exports and backtests print it, and where it stands.

        The fields above describe it; walking through them would take most of a page's time.
        """
        return {
            **as_json(instance.value()),
            **{name: getattr(instance, name) for name in _PROBABILITY},
            "status": instance.status,
            "strategy": str(instance.strategy),
            "created_at": calendar.iso(calendar.milliseconds(instance.created_at)),
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
        fields: ClassVar = (
            "instrument",
            "timestamp",
            "outcome",
            "direction",
            "score",
            "reason",
            "text",
            "strategy",
            "entry_time",
            "entry_ordinal",
            "decided_at",
        )
        read_only_fields = fields

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        """The decision as it is stored."""
        entry_ms, decided_at = instance.entry_time_ms, instance.decided_at
        return {
            "instrument": instance.instrument,
            "timestamp": calendar.iso(instance.close_time_ms),
            "outcome": instance.outcome,
            "direction": instance.direction,
            "score": None if instance.score is None else float(instance.score),
            "reason": instance.reason,
            "text": instance.text,
            "strategy": None if instance.strategy is None else str(instance.strategy),
            "entry_time": None if entry_ms is None else calendar.iso(entry_ms),
            "entry_ordinal": instance.entry_ordinal,
            "decided_at": (
                None if decided_at is None else calendar.iso(calendar.milliseconds(decided_at))
            ),
        }


class CandleSerializer(RowSerializer):
    """A closed candle; `time` is its opening."""

    time = serializers.DateTimeField(help_text="opening time")

    class Meta:
        model = PriceCandle
        fields: ClassVar = ("time", "open", "high", "low", "close", "volume")
        read_only_fields = fields

    def to_representation(self, instance: PriceCandle) -> dict[str, Any]:
        """The candle as `manage.py candles` prints it."""
        return {
            "time": calendar.iso(calendar.milliseconds(instance.timestamp)),
            "open": float(instance.open),
            "high": float(instance.high),
            "low": float(instance.low),
            "close": float(instance.close),
            "volume": instance.volume,
        }


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

    name = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)
    symbols = serializers.ListField(
        child=serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9._#-]*$", max_length=20),
        min_length=1,
        max_length=100,
    )


class TokenSerializer(serializers.Serializer[Mapping[str, Any]]):
    """A connector's token and when it ends."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
