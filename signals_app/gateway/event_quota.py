"""How many events of one connector are written in a minute; of those beyond only the last. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from signals_app.connector_codes import ConnectorEventCode

EVENTS_A_MINUTE: Final = 10
_MINUTE_MS: Final = 60_000
# Connectors that are remembered; those beyond begin a new minute.
_MOST_CONNECTORS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ConnectorReportEvent:
    """An event of a connector: what it says, when it happened (Unix ms), and how often."""

    connector: str
    code: ConnectorEventCode
    symbol: str
    message: str
    at_ms: int
    times: int = 1

    def is_same(self, other: "ConnectorReportEvent") -> bool:
        """Whether both say the same, at whatever time."""
        return replace(self, at_ms=0, times=1) == replace(other, at_ms=0, times=1)


@dataclass(slots=True)
class EventQuota:
    """Lets events through, and holds back what is too much until its connector's minute is over.

    Of what is held back the last of each symbol stays, as that is how things stand.
    """

    _minutes: dict[str, "_Minute"] = field(default_factory=dict)

    def take(self, event: ConnectorReportEvent) -> ConnectorReportEvent | None:
        """The event, if it may be written now."""
        minute = self._minutes.get(event.connector)
        if minute is None or (minute.is_over(event.at_ms) and not minute.held):
            if minute is None and len(self._minutes) >= _MOST_CONNECTORS:
                del self._minutes[next(iter(self._minutes))]
            minute = self._minutes[event.connector] = _Minute(event.at_ms)
        if minute.count < EVENTS_A_MINUTE and event.symbol not in minute.held:
            minute.count += 1
            return event
        minute.hold(event)
        return None

    def release(self, now_ms: int | None) -> list[ConnectorReportEvent]:
        """The events whose minute is over; all of them where ``now_ms`` is `None`."""
        released: list[ConnectorReportEvent] = []
        for connector, minute in list(self._minutes.items()):
            if now_ms is not None and not minute.is_over(now_ms):
                continue
            released += minute.last_events()
            if now_ms is None or not minute.held:
                del self._minutes[connector]
            else:
                self._minutes[connector] = _Minute(now_ms, count=len(minute.held))
        return released


@dataclass(slots=True)
class _Held:
    event: ConnectorReportEvent
    others: int = 0


@dataclass(slots=True)
class _Minute:
    began_ms: int
    count: int = 0
    held: dict[str, _Held] = field(default_factory=dict)

    def is_over(self, now_ms: int) -> bool:
        # A clock that went back does not hold events for longer.
        return not 0 <= now_ms - self.began_ms < _MINUTE_MS

    def hold(self, event: ConnectorReportEvent) -> None:
        held = self.held.get(event.symbol)
        if held is None:
            self.held[event.symbol] = _Held(event)
        elif held.event.is_same(event):
            held.event = replace(event, times=held.event.times + event.times)
        else:
            self.held[event.symbol] = _Held(event, held.others + held.event.times)

    def last_events(self) -> Iterable[ConnectorReportEvent]:
        for held in self.held.values():
            note = f" (after {held.others} other reports)" if held.others else ""
            yield replace(held.event, message=held.event.message + note)
