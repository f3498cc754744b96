"""`/stream`: candles, signals and trades as they come, by server-sent events.

Every stream holds one thread of its web process. So each process serves a few at most, and none for
longer than a quarter of an hour; a browser's EventSource then comes back by itself.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Any

import structlog
from django.db import DatabaseError, models
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from signals_app.api.serializers import CandleSerializer, SignalSerializer
from signals_app.models import PriceCandle, Signal
from signals_app.services import api_keys
from trades_app.api.trades import EventSerializer
from trades_app.models import TradeEvent

log = structlog.get_logger(__name__)

#: Streams that one web process serves at once; the rest of its threads answer requests.
STREAMS_PER_PROCESS = 2
LONGEST_SECONDS = 900.0
POLL_SECONDS = 1.0
#: A comment so often keeps proxies from closing a quiet stream, and finds callers that are gone.
KEEP_ALIVE_SECONDS = 15.0
#: A key that was revoked ends its streams after so long at most.
KEY_CHECK_SECONDS = 3.0
#: Of each kind so many of the newest rows are looked at; a burst beyond that is cut.
NEWEST_ROWS = 500

_places = BoundedSemaphore(STREAMS_PER_PROCESS)


class EventStreamRenderer(JSONRenderer):
    """Lets callers accept `text/event-stream`; refusals are JSON all the same."""

    media_type = "text/event-stream"
    format = "event-stream"
    charset = "utf-8"


@dataclass(slots=True)
class TableWatch:
    """Finds the rows of one table that were not there before; `kind` is the name of their events.

    Rows of different symbols are committed in another order than they are numbered, so that the
    newest ones, by the column `order`, are compared with those seen, not with the highest number.
    """

    kind: str
    rows: "models.QuerySet[Any]"
    order: str
    as_json: Callable[[Any], dict[str, Any]]
    _seen: frozenset[Any] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = frozenset(self._newest())

    def new(self) -> list[dict[str, Any]]:
        """The rows that came since the last call, as JSON, oldest first."""
        found = self._newest()
        fresh = [pk for pk in found if pk not in self._seen]
        self._seen = frozenset(found)
        if not fresh:
            return []
        rows = self.rows.in_bulk(fresh)
        return [self.as_json(rows[pk]) for pk in reversed(fresh) if pk in rows]

    def _newest(self) -> list[Any]:
        rows = self.rows.model._default_manager.order_by(f"-{self.order}")
        return list(rows.values_list("pk", flat=True)[:NEWEST_ROWS])


def watched_tables() -> list[TableWatch]:
    """What a stream sends: candles made of ticks, signals and trade events."""
    return [
        TableWatch(
            "candle",
            PriceCandle.objects.filter(source=PriceCandle.Source.TICKS),
            "pk",
            lambda candle: {
                "symbol": candle.instrument,
                "timeframe": candle.timeframe,
                **CandleSerializer(candle).data,
            },
        ),
        TableWatch(
            "signal",
            Signal.objects.select_related("strategy"),
            "created_at",
            lambda signal: SignalSerializer(signal).data,
        ),
        TableWatch(
            "trade",
            TradeEvent.objects.select_related("trade"),
            "pk",
            lambda event: {
                "trade_id": event.trade_id,
                "signal_id": event.trade.signal_id,
                "instrument": event.trade.instrument,
                **EventSerializer(event).data,
            },
        ),
    ]


class EventStream:
    """The bytes of one stream, which ends with the API key of this id.

    It holds one of the process's places until it is closed.
    """

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._ends = monotonic() + LONGEST_SECONDS
        self._holds_place = True
        self._parts = self._events()

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """Give the place back; called by the web server however the stream ends."""
        self._parts.close()
        if self._holds_place:
            self._holds_place = False
            _places.release()

    def _events(self) -> Generator[bytes, None, None]:
        # So many milliseconds a caller waits before it connects again.
        yield b"retry: 3000\n\n"
        quiet_since = key_checked = monotonic()
        try:
            tables = watched_tables()
            while monotonic() < self._ends:
                if monotonic() - key_checked >= KEY_CHECK_SECONDS:
                    if self._key_id not in api_keys.usable([self._key_id]):
                        log.info("stream_ended", detail="its API key is no longer good")
                        return
                    key_checked = monotonic()
                parts = [_event(table.kind, row) for table in tables for row in table.new()]
                yield from parts
                if parts:
                    quiet_since = monotonic()
                elif monotonic() - quiet_since >= KEEP_ALIVE_SECONDS:
                    quiet_since = monotonic()
                    yield b": nothing new\n\n"
                sleep(POLL_SECONDS)
        except DatabaseError as failure:
            log.warning("stream_ended", detail=str(failure))


class Stream(APIView):
    """New candles, signals and trade events, as server-sent events."""

    renderer_classes = (JSONRenderer, EventStreamRenderer)

    @extend_schema(
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
        description=(
            "Events are `candle`, `signal` and `trade`; their data is a JSON object. It begins with"
            " what happens from now on and ends after 15 minutes: connect again then."
        ),
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Open a stream, if this process has a place for one more."""
        if not _places.acquire(blocking=False):
            raise Throttled(wait=5, detail="All streams are taken; try again shortly.")
        key: Any = request.auth
        parts: Iterable[bytes] = EventStream(key.prefix)
        return StreamingHttpResponse(
            parts,
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )


def _event(kind: str, row: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), JSONRenderer().render(row))
