"""Alerts put into the outbox for the operators, each once, and kept as connector events."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import ConnectorEvent
from signals_app.services.connectors import record_connector_event
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.content.alerts import (
    CONNECTOR_REPORTS,
    ConnectorReport,
    FeedAlert,
    sentence,
)
from trades_app.notifications.outbox import Draft, Subject

log = structlog.get_logger(__name__)

#: A report that was not passed on in this time is history.
_REPORT_COUNTS_FOR = timedelta(hours=1)
#: Connector events that the watch of the feed makes, of no connector, bear this name.
_WATCH = "watch"


def raise_alert(alert: FeedAlert, key: str) -> bool:
    """Put an alert in, with its connector event; `False` where its key was known."""
    with transaction.atomic():
        subject = Subject.for_operators(alert.symbol)
        if not outbox.put(Message.Kind.ALERT, subject, key, alert):
            return False
        record_connector_event(alert.connector or _WATCH, alert.code, alert.symbol, sentence(alert))
    log.warning("feed_watched", code=alert.code, symbol=alert.symbol, connector=alert.connector)
    return True


def pass_on_reports(now: datetime) -> int:
    """Put in what connectors and the gateway reported lately, each once; returns how many."""
    events = ConnectorEvent.objects.filter(
        code__in=CONNECTOR_REPORTS, happened_at__gte=now - _REPORT_COUNTS_FOR
    ).order_by("happened_at", "pk")
    reports = {f"alert:event:{event.pk}": event for event in events}
    passed_on = outbox.known(reports)
    drafts = [
        Draft(
            Message.Kind.ALERT,
            Subject.for_operators(event.instrument),
            key,
            ConnectorReport(
                ConnectorEventCode(event.code), event.instrument, event.connector, event.message
            ),
        )
        for key, event in reports.items()
        if key not in passed_on
    ]
    outbox.put_all(drafts)
    return len(drafts)
