"""The watch of the feed: finds streams without ticks, silent connectors and overdue trades.

The wall clock is read here and decides about nothing but alerts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q

from signals_app.connector_codes import ConnectorEventCode
from signals_app.market import calendar
from signals_app.models import Connector, ConnectorEvent, StreamPosition
from signals_app.pipeline import stream, waiting
from trades_app.models import Trade
from trades_app.notifications import alerts
from trades_app.notifications.content.alerts import (
    ConnectorHeard,
    ConnectorSilent,
    FeedAlert,
    FeedFlowing,
    FeedStale,
    TradeOverdue,
)

#: Metals and many pairs pause here each day, by New York's clock; with some minutes to come back.
_DAILY_PAUSE = time(16, 55), time(18, 10)
#: How long what was seen of a stream is remembered.
_MEMORY = timedelta(days=7)
_LONGEST_KEY = 80


class Finding(NamedTuple):
    """An alert to raise, and the key that names its outage: the same one is found again."""

    key: str
    alert: FeedAlert


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the watch saw of a symbol: its last tick, and when that was new.

    `was_live` says whether the tick's time was then the clock's: a replay's never is.
    """

    ordinal: int
    since: datetime
    was_live: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of a look, and how long nothing may come before that is an outage."""

    now: datetime
    limit: timedelta

    @property
    def expects_ticks(self) -> bool:
        """Whether ticks were to be expected for as long as the limit, up to now."""
        return _is_expected(self.now) and _is_expected(self.now - self.limit)


def watch_feed(now: datetime) -> int:
    """Look at every stream, trade and connector; returns how many alerts were put in."""
    clock = Clock(now, timedelta(minutes=settings.STALE_FEED_MINUTES))
    positions = list(StreamPosition.objects.order_by("instrument"))
    sightings = {position.instrument: _look(position, clock) for position in positions}
    live = {symbol for symbol, sighting in sightings.items() if sighting.was_live}
    raised = 0
    for position in positions:
        last = _last_event(
            (ConnectorEventCode.FEED_STALE, ConnectorEventCode.FEED_FLOWING),
            symbol=position.instrument,
        )
        raised += _raise(stream_finding(position, sightings[position.instrument], last, clock))
    for position in positions:
        if position.instrument in live and clock.expects_ticks:
            raised += sum(map(_raise, _overdue_trades(position, clock)))
    waiting.report_stuck(now)
    raised += alerts.pass_on_reports(now)
    for connector in Connector.objects.filter(is_revoked=False).order_by("name"):
        if live & set(connector.symbols):
            codes = (ConnectorEventCode.CONNECTOR_SILENT, ConnectorEventCode.CONNECTOR_HEARD)
            last = _last_event(codes, connector=connector.name)
            raised += _raise(connector_finding(connector, last, clock))
    return raised


def stream_finding(
    position: StreamPosition, sighting: Sighting, last: ConnectorEvent | None, clock: Clock
) -> Finding | None:
    """What is to be said of a symbol's stream; ``last`` is its newest alert, or the end of one."""
    symbol = position.instrument
    quiet = clock.now - calendar.utc(position.time_ms)
    if last is not None and last.code == ConnectorEventCode.FEED_STALE:
        if not sighting.was_live or quiet > clock.limit:
            return None
        flowing = FeedFlowing(symbol=symbol, stale_seconds=_seconds(clock.now - last.happened_at))
        return Finding(f"alert:flowing:{symbol}:{last.pk}", flowing)
    is_stale = clock.now - sighting.since > clock.limit
    if not (sighting.was_live and clock.expects_ticks and is_stale):
        return None
    stale = FeedStale(symbol=symbol, quiet_seconds=_seconds(quiet), last_tick_ms=position.time_ms)
    return Finding(f"alert:stale:{symbol}:{position.ordinal}", stale)


def connector_finding(
    connector: Connector, last: ConnectorEvent | None, clock: Clock
) -> Finding | None:
    """What is to be said of a connector; ``last`` is its newest alert, or the end of one."""
    if connector.last_seen is None:
        return None
    name, silent_for = connector.name, clock.now - connector.last_seen
    if last is not None and last.code == ConnectorEventCode.CONNECTOR_SILENT:
        if silent_for > clock.limit:
            return None
        key = f"alert:heard:{name}:{last.pk}"[:_LONGEST_KEY]
        return Finding(key, ConnectorHeard(connector=name))
    if not clock.expects_ticks or silent_for <= clock.limit:
        return None
    heard_ms = calendar.milliseconds(connector.last_seen)
    silent = ConnectorSilent(
        connector=name, silent_seconds=_seconds(silent_for), last_heard_ms=heard_ms
    )
    return Finding(f"alert:silent:{heard_ms}:{name}"[:_LONGEST_KEY], silent)


def _overdue_trades(position: StreamPosition, clock: Clock) -> Iterator[Finding]:
    """Yield the trades that the next tick ends, where none comes.

    Nobody knows a price after the last tick: they stay open, in a replay of the ticks as here.
    """
    due_before = clock.now - clock.limit
    due = Q(expires_at__lte=due_before) | Q(close_from__lte=due_before)
    for trade in Trade.objects.open().filter(due, instrument=position.instrument).order_by("pk"):
        due_at = trade.close_from or trade.expires_at
        assert due_at is not None
        overdue = TradeOverdue(
            symbol=position.instrument,
            signal_id=trade.signal_id,
            was_ordered=trade.close_from is not None,
            due_ms=calendar.milliseconds(due_at),
            last_tick_ms=position.time_ms,
        )
        yield Finding(f"alert:overdue:{trade.signal_id}", overdue)


def _raise(finding: Finding | None) -> bool:
    return finding is not None and alerts.raise_alert(finding.alert, finding.key)


def _look(position: StreamPosition, clock: Clock) -> Sighting:
    """What is seen of a symbol now; it is kept in Redis, whose loss only delays an alert."""
    key = f"watch:{position.instrument}"
    kept: Any = stream.connection().getex(key, ex=_MEMORY)
    if kept is not None:
        ordinal, since_ms, was_live = map(int, kept.split(b" "))
        if ordinal == position.ordinal:
            return Sighting(ordinal, calendar.utc(since_ms), bool(was_live))
    is_live = clock.now - calendar.utc(position.time_ms) <= clock.limit
    value = f"{position.ordinal} {calendar.milliseconds(clock.now)} {int(is_live)}"
    stream.connection().set(key, value, ex=_MEMORY)
    return Sighting(position.ordinal, clock.now, is_live)


def _is_expected(moment: datetime) -> bool:
    """Whether ticks are to be expected: the week is open, and it is not the daily pause."""
    begin, end = _DAILY_PAUSE
    local = moment.astimezone(calendar.NEW_YORK).time()
    return calendar.is_market_open(calendar.milliseconds(moment)) and not begin <= local < end


def _last_event(
    codes: Iterable[ConnectorEventCode], *, symbol: str = "", connector: str = ""
) -> ConnectorEvent | None:
    found = ConnectorEvent.objects.filter(code__in=codes, instrument=symbol)
    if connector:
        found = found.filter(connector=connector)
    return found.order_by("-happened_at", "-pk").first()


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
