"""What stands behind a sealed day: the candles and decisions that led to its signals, their
probabilities, and the messages that followers were to get.

A seal covers all that came since the one before, be it of days without entries. Decisions and
messages bear the number of their seal, since some come after the day that they belong to: a close
that waits for its tick over the weekend, a message whose transaction was still open.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from signals_app.market import calendar
from signals_app.market.candle import TIMEFRAMES
from signals_app.models import Decision, PriceCandle, Signal
from trades_app.models import Message

_DAY = dt.timedelta(days=1)
_PRICES = ("open", "high", "low", "close", "volume")
#: What of a decision is covered. The lists never change: old seals must hold for ever.
_OF_DECISION = (
    *("close_time_ms", "h1_close_ms", "h4_close_ms"),
    *("entry_ordinal", "entry_time_ms", "entry_bid", "entry_ask"),
    *("outcome", "direction", "score", "reason", "text", "strategy_id"),
)
_OF_PROBABILITY = (
    *("signal_id", "strategy_id", "probability", "probability_low", "probability_high"),
    *("probability_n", "probability_random", "probability_of"),
)
_OF_MESSAGE = ("key", "kind", "addressee", "signal_id", "data", "digest", "text")


@dataclass(frozen=True, slots=True)
class Span:
    """What one seal covers: the instrument's days behind `after` up to `until`, by number."""

    instrument: str
    number: int
    after: dt.date | None
    until: dt.date


def claim(span: Span) -> None:
    """Mark the decisions and messages that no seal covers yet as this one's.

    Called in the transaction of the seal, with the right to decide the instrument's closes.
    """
    end_ms = calendar.milliseconds(calendar.midnight(span.until + _DAY))
    Decision.objects.filter(
        instrument=span.instrument, record_seal=None, close_time_ms__lte=end_ms
    ).exclude(outcome__in=(Decision.Outcome.PENDING, Decision.Outcome.OPENING)).update(
        record_seal=span.number
    )
    # Those that are being sent keep their contents: only what came of it changes.
    Message.objects.filter(
        instrument=span.instrument,
        addressee=Message.Addressee.FOLLOWERS,
        record_seal=None,
    ).update(record_seal=span.number)


def covered(span: Span) -> dict[str, dict[str, Any]]:
    """How many rows of each part the seal covers, and the SHA-256 of their lines."""
    return {name: _digest(lines(span)) for name, lines in _PARTS.items()}


def seal_link(previous: str, span: Span, day_digest: str, parts: Mapping[str, Any]) -> str:
    """The SHA-256 of a seal: by line the one before, what it is of, and what it covers."""
    lines = (
        previous,
        span.instrument,
        str(span.number),
        span.until.isoformat(),
        day_digest,
        _canonical(parts),
    )
    return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()


def _candles(span: Span) -> Iterator[Any]:
    """Candles that ticks made and that ended in the span; history from outside is none of it."""
    for timeframe in TIMEFRAMES:
        length = dt.timedelta(milliseconds=timeframe.milliseconds)
        rows = PriceCandle.objects.filter(
            instrument=span.instrument,
            timeframe=timeframe,
            source=PriceCandle.Source.TICKS,
            timestamp__lte=calendar.midnight(span.until + _DAY) - length,
        )
        if span.after is not None:
            rows = rows.filter(timestamp__gt=calendar.midnight(span.after + _DAY) - length)
        for row in rows.order_by("timestamp").values_list("timestamp", *_PRICES).iterator(5_000):
            yield [timeframe.value, *row]


def _decisions(span: Span) -> Iterator[Any]:
    rows = Decision.objects.filter(instrument=span.instrument, record_seal=span.number)
    for *content, rate in (
        rows.order_by("close_time_ms").values_list(*_OF_DECISION, "rate").iterator(5_000)
    ):
        # Most have none, and of old seals no decision had one.
        yield content if rate is None else [*content, rate]


def _probabilities(span: Span) -> Iterator[Any]:
    end = calendar.midnight(span.until + _DAY) - dt.timedelta(microseconds=1)
    rows = Signal.objects.filter(instrument=span.instrument, timestamp__lte=end)
    if span.after is not None:
        rows = rows.filter(timestamp__gte=calendar.midnight(span.after + _DAY))
    yield from rows.order_by("timestamp", "signal_id").values_list(*_OF_PROBABILITY)


def _messages(span: Span) -> Iterator[Any]:
    rows = Message.objects.filter(instrument=span.instrument, record_seal=span.number)
    yield from rows.order_by("key").values_list(*_OF_MESSAGE).iterator(1_000)


#: The parts by what their rows are called.
_PARTS: Mapping[str, Callable[[Span], Iterable[Any]]] = MappingProxyType(
    {
        "candles": _candles,
        "decisions": _decisions,
        "probabilities": _probabilities,
        "messages": _messages,
    }
)


def _digest(rows: Iterable[Any]) -> dict[str, Any]:
    found, number = hashlib.sha256(), 0
    for number, row in enumerate(rows, 1):  # noqa: B007 - how many there were
        found.update(_canonical(row).encode("ascii") + b"\n")
    return {"number": number, "digest": found.hexdigest()}


def _canonical(content: Any) -> str:
    """JSON with keys in order, no spaces, ASCII only; decimals and times as text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")
