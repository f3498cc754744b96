"""What operators are told, once: the market is not heard, is heard again, a trade waits for a tick.

The wall clock is read here and decides about nothing but alerts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from signals_app.market import calendar
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from signals_app.pipeline import stream
from trades_app.models import Message, Trade
from trades_app.notifications.content.messages import time_words

log = structlog.get_logger(__name__)

STALE, FLOWING = "FEED_STALE", "FEED_FLOWING"
SILENT, HEARD = "CONNECTOR_SILENT", "CONNECTOR_HEARD"
OVERDUE = "TRADE_OVERDUE"
#: What the gateway and the connectors report that operators are told at once (wire.md, Errors).
_REPORTED = {
    "PROMOTED": "🔁",
    "MT5_DISCONNECTED": "⚠️",
    "MT5_RECONNECTED": "✅",
    "SYMBOL_UNAVAILABLE": "⚠️",
}
#: A report that nobody passed on in this time is history.
_REPORT_COUNTS_FOR = timedelta(hours=1)
#: Metals and many pairs pause here each day, by New York's clock; with some minutes to come back.
_DAILY_PAUSE = time(16, 55), time(18, 10)
#: How long what was seen of a stream is remembered.
_MEMORY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watch saw of a symbol: its last tick, and when that was new.

    `was_live` says whether the tick's time was then the clock's: a replay's never is.
    """

    ordinal: int
    since: datetime
    was_live: bool


def watch_feed(now: datetime) -> int:
    """Look at every stream and connector; return how many alerts were put into the outbox."""
    patience = timedelta(minutes=settings.STALE_FEED_MINUTES)
    positions = list(StreamPosition.objects.order_by("symbol"))
    seen = {position.symbol: _look(position, now, patience) for position in positions}
    live = {symbol for symbol, sight in seen.items() if sight.was_live}
    told = sum(
        _watch_stream(position, seen[position.symbol], now, patience) for position in positions
    )
    told += sum(
        _watch_trades(position, now, patience) for position in positions if position.symbol in live
    )
    told += _pass_on_reports(now)
    return told + sum(
        _watch_connector(connector, now, patience)
        for connector in Connector.objects.filter(is_revoked=False).order_by("name")
        if live & set(connector.symbols)
    )


def _pass_on_reports(now: datetime) -> int:
    """Put the reports of connectors into the outbox, each once; return how many were new."""
    events = ConnectorEvent.objects.filter(
        code__in=_REPORTED, happened_at__gte=now - _REPORT_COUNTS_FOR
    ).order_by("happened_at", "pk")
    alerts = {f"alert:event:{event.pk}": event for event in events}
    told = set(Message.objects.filter(key__in=alerts).values_list("key", flat=True))
    new = [
        Message(
            key=key,
            kind=Message.ALERT,
            instrument=event.symbol,
            text=(
                f"{_REPORTED[event.code]} {event.code} {event.symbol} ({event.connector}): "
                f"{event.message or 'no details'}"
            ),
        )
        for key, event in alerts.items()
        if key not in told
    ]
    Message.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _look(position: StreamPosition, now: datetime, patience: timedelta) -> Seen:
    """Return what is seen of a symbol now; it is kept in Redis, whose loss only delays an alert."""
    key = f"watch:{position.symbol}"
    kept: Any = stream.connection().getex(key, ex=_MEMORY)
    if kept is not None:
        ordinal, since_ms, was_live = map(int, kept.split(b" "))
        if ordinal == position.ordinal:
            return Seen(ordinal, calendar.utc(since_ms), bool(was_live))
    is_live = now - calendar.utc(position.time_ms) <= patience
    value = f"{position.ordinal} {calendar.milliseconds(now)} {int(is_live)}"
    stream.connection().set(key, value, ex=_MEMORY)
    return Seen(position.ordinal, now, is_live)


def _watch_stream(position: StreamPosition, seen: Seen, now: datetime, patience: timedelta) -> bool:
    symbol = position.symbol
    last = _last_event((STALE, FLOWING), symbol=symbol)
    is_out = last is not None and last.code == STALE
    quiet = now - calendar.utc(position.time_ms)
    if is_out:
        if not seen.was_live or quiet > patience:
            return False
        assert last is not None
        lasted = time_words((now - last.happened_at).total_seconds())
        return _tell(
            FLOWING,
            key=f"alert:flowing:{symbol}:{last.pk}",
            symbol=symbol,
            text=f"{symbol}: ticks flow again, {lasted} after the alert. Missed ticks were used.",
        )
    was_expected = _is_expected(now) and _is_expected(now - patience)
    if not (seen.was_live and was_expected and now - seen.since > patience):
        return False
    return _tell(
        STALE,
        key=f"alert:stale:{symbol}:{position.ordinal}",
        symbol=symbol,
        text=(
            f"{symbol}: no tick for {time_words(quiet.total_seconds())} while the market is open. "
            f"The last one is of {calendar.iso(position.time_ms)}. Open trades are moved "
            "when its ticks arrive."
        ),
    )


def _watch_connector(connector: Connector, now: datetime, patience: timedelta) -> bool:
    if connector.last_seen is None:
        return False
    last = _last_event((SILENT, HEARD), connector=connector.name)
    is_out = last is not None and last.code == SILENT
    silent_for = now - connector.last_seen
    if is_out and silent_for <= patience:
        assert last is not None
        return _tell(
            HEARD,
            key=f"alert:heard:{connector.name}:{last.pk}"[:80],
            connector=connector.name,
            text=f"Connector {connector.name} is heard again.",
        )
    was_expected = _is_expected(now) and _is_expected(now - patience)
    if is_out or not was_expected or silent_for <= patience:
        return False
    heard_ms = calendar.milliseconds(connector.last_seen)
    return _tell(
        SILENT,
        key=f"alert:silent:{heard_ms}:{connector.name}"[:80],
        connector=connector.name,
        text=(
            f"Connector {connector.name} is silent for {time_words(silent_for.total_seconds())}; "
            f"it was last heard at {calendar.iso(heard_ms)}."
        ),
    )


def _watch_trades(position: StreamPosition, now: datetime, patience: timedelta) -> int:
    """Tell of trades that the next tick ends, where none comes; return of how many.

    Nobody knows a price after the last tick: they stay open, in a replay of the ticks as here.
    """
    if not (_is_expected(now) and _is_expected(now - patience)):
        return 0
    due = Q(expires_at__lte=now - patience) | Q(close_from__lte=now - patience)
    return sum(
        _tell_overdue(trade, position)
        for trade in Trade.objects.open().filter(due, instrument=position.symbol).order_by("pk")
    )


def _tell_overdue(trade: Trade, position: StreamPosition) -> bool:
    if trade.close_from is not None:
        since, reason = trade.close_from, "was ordered to close"
    else:
        assert trade.expires_at is not None
        since, reason = trade.expires_at, "expired"
    return _tell(
        OVERDUE,
        key=f"alert:overdue:{trade.signal_id}",
        symbol=position.symbol,
        text=(
            f"{trade.signal_id} is still open: it {reason} at "
            f"{calendar.iso(calendar.milliseconds(since))}, and no tick of {position.symbol} was "
            f"used since {calendar.iso(position.time_ms)}. It closes at the first one that comes."
        ),
    )


def _is_expected(moment: datetime) -> bool:
    """Return whether ticks are to be expected: the week is open, and it is not the daily pause."""
    begin, end = _DAILY_PAUSE
    local = moment.astimezone(calendar.NEW_YORK).time()
    return calendar.is_market_open(calendar.milliseconds(moment)) and not begin <= local < end


def _last_event(
    codes: Iterable[str], *, symbol: str = "", connector: str = ""
) -> ConnectorEvent | None:
    found = ConnectorEvent.objects.filter(code__in=codes, symbol=symbol)
    if connector:
        found = found.filter(connector=connector)
    return found.order_by("-happened_at", "-pk").first()


def _tell(code: str, *, key: str, text: str, symbol: str = "", connector: str = "") -> bool:
    """Note an outage or its end, with its message; return whether it was not known yet."""
    with transaction.atomic():
        if Message.objects.filter(key=key).exists():
            return False
        ConnectorEvent.objects.create(
            connector=connector or "watch", code=code, symbol=symbol, message=text
        )
        Message.objects.create(
            key=key,
            kind=Message.ALERT,
            instrument=symbol,
            text=f"{'✅' if code in {FLOWING, HEARD} else '⚠️'} {text}",
        )
    log.warning("feed_watched", code=code, symbol=symbol, connector=connector)
    return True
