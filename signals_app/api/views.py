"""The endpoints of signals, candles, connectors and the strategy."""

from dataclasses import asdict
from datetime import UTC, datetime
from time import time
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import (
    APIException,
    NotFound,
    PermissionDenied,
    Throttled,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from signals_app.api.filters import DecisionFilter, SignalFilter
from signals_app.api.serializers import (
    CandleSerializer,
    ConfigurationSerializer,
    ConnectorSerializer,
    DecisionSerializer,
    SignalSerializer,
    TokenRequestSerializer,
    TokenSerializer,
)
from signals_app.confluence.limits import BadParameter
from signals_app.gateway import tokens
from signals_app.market.candle import TIMEFRAMES
from signals_app.models import (
    Connector,
    Decision,
    Instrument,
    NoLiveStrategy,
    PriceCandle,
    Signal,
    Strategy,
)
from signals_app.services.connectors import (
    ConnectorRevoked,
    NotAllowed,
    TooManyTokens,
    allow_connector,
)
from signals_app.services.strategies import change_parameters


class SignalList(generics.ListAPIView[Signal]):
    """All signals, the newest first."""

    queryset = Signal.objects.select_related("strategy")
    serializer_class = SignalSerializer
    filterset_class = SignalFilter
    ordering = ("-timestamp", "-signal_id")


class ActiveSignalList(SignalList):
    """The signals whose trade is not over, the newest first."""

    queryset = Signal.objects.active().select_related("strategy")


class SignalDetail(generics.RetrieveAPIView[Signal]):
    """One signal."""

    queryset = Signal.objects.select_related("strategy")
    serializer_class = SignalSerializer
    lookup_url_kwarg = "signal_id"

    def get_object(self) -> Signal:
        signal_id = self.kwargs["signal_id"]
        found = self.get_queryset().filter(pk=signal_id).first()
        if found is None:
            raise NotFound(f"There is no signal {signal_id}.")
        return found


class DecisionList(generics.ListAPIView[Decision]):
    """The ledger of M15 closes, the newest first: what each came to, and why it made no signal."""

    queryset = Decision.objects.select_related("strategy").defer("checkpoint")
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter
    ordering = ("-close_time_ms", "-id")


@extend_schema(
    parameters=[
        OpenApiParameter("symbol", str, required=True),
        OpenApiParameter("timeframe", str, required=True, enum=[str(each) for each in TIMEFRAMES]),
    ]
)
class CandleList(generics.ListAPIView[PriceCandle]):
    """The last closed candles, oldest first within a page; `next` leads to older ones."""

    queryset = PriceCandle.objects.all()
    serializer_class = CandleSerializer
    filter_backends = ()
    ordering = ("-timestamp",)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer a page of candles in the order of a chart."""
        response = super().get(request, *args, **kwargs)
        response.data["results"].reverse()
        return response

    def get_queryset(self) -> Any:
        """The candles of the symbol and timeframe that the request names."""
        asked = self.request.query_params
        symbol, timeframe = asked.get("symbol", ""), asked.get("timeframe", "")
        if not symbol:
            raise ValidationError("symbol is needed, for example symbol=XAUUSD.")
        known = [str(each) for each in TIMEFRAMES]
        if timeframe not in known:
            raise ValidationError(f"timeframe must be one of {', '.join(known)}.")
        if not Instrument.objects.filter(pk=symbol).exists():
            raise NotFound(f"There is no instrument {symbol}.")
        return super().get_queryset().filter(instrument=symbol, timeframe=timeframe)


class ConnectorList(generics.ListAPIView[Connector]):
    """The connectors, by name."""

    queryset = Connector.objects.all()
    serializer_class = ConnectorSerializer
    filter_backends = ()
    ordering = ("name",)


class TokensUnavailable(APIException):
    """The server has no key to sign connector tokens with."""

    status_code = 503
    default_code = "unavailable"


class ConnectorToken(APIView):
    """A connector's token for the WSS gateway, valid for 24 hours, or until its key is revoked.

    An admin key gets one for every connector; a connector key for its own symbols, and for the
    connector of its own name or one that it made, whose name continues it (`london` and
    `london-simulated`). No token carries a symbol that the connector itself may not send.
    """

    key_scopes = frozenset({"admin", "connector"})

    @extend_schema(request=TokenRequestSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        wanted = TokenRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        name, symbols = wanted.validated_data["name"], wanted.validated_data["symbols"]
        key: Any = request.auth
        try:
            keys = tokens.SigningKeys.parse(settings.CONNECTOR_JWT_KEYS)
            allow_connector(name, symbols, key.rights)
        except tokens.BadKeys as bad:
            raise TokensUnavailable(f"{bad}.") from None
        except (ConnectorRevoked, NotAllowed) as refusal:
            raise PermissionDenied(str(refusal)) from None
        except TooManyTokens as many:
            raise Throttled(wait=60, detail=str(many)) from None
        now = int(time())
        token = tokens.issue(keys, name, symbols, now=now, key=key.prefix)
        ends = datetime.fromtimestamp(now + tokens.MAXIMUM_LIFETIME, UTC)
        return Response(TokenSerializer({"token": token, "expires_at": ends}).data)


class NothingLive(APIException):
    """No version of the strategy is live; the sentence says what the operator does."""

    status_code = 409
    default_code = "nothing_live"


class Configuration(APIView):
    """The parameters that decide now."""

    @extend_schema(responses=ConfigurationSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer the live strategy."""
        try:
            return Response(_configuration(Strategy.objects.live()))
        except NoLiveStrategy as nothing:
            raise NothingLive(str(nothing)) from None


class ConfigurationUpdate(APIView):
    """Changes parameters: a new version of the strategy, used from the next decision on."""

    @extend_schema(
        request=OpenApiTypes.OBJECT,
        responses=ConfigurationSerializer,
        examples=[
            OpenApiExample("A change", {"threshold": 85, "risk_percentage": 0.5}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Change the named parameters, given alone or under `parameters`, and answer all."""
        changes = request.data
        if isinstance(changes, dict) and set(changes) == {"parameters"}:
            changes = changes["parameters"]
        if not isinstance(changes, dict) or not changes:
            raise ValidationError('Send the parameters to change, for example {"threshold": 85}.')
        try:
            strategy = change_parameters(changes)
        except BadParameter as bad:
            raise ValidationError(str(bad)) from None
        except NoLiveStrategy as nothing:
            raise NothingLive(str(nothing)) from None
        return Response(_configuration(strategy))


def _configuration(strategy: Strategy) -> Any:
    return ConfigurationSerializer(
        {
            "strategy": strategy.name,
            "version": strategy.version,
            "created_at": strategy.created_at,
            "parameters": asdict(strategy.value()),
        }
    ).data
