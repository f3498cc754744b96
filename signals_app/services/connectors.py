"""Which connectors may send what, and whose ticks are made up."""

import re
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import Connector, ConnectorEvent, StreamPosition

#: What a connector may be called.
CONNECTOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A connector sends a heartbeat every 30 s; twice that without one is silence.
SILENT_AFTER = timedelta(seconds=60)


class ConnectorRevoked(Exception):  # noqa: N818 - it says what happened
    """The connector was cut off; an operator has to let it in again first."""


def allow_connector(name: str, symbols: Sequence[str]) -> Connector:
    """Let a connector send these symbols beside those it may send already; make it where new.

    Raises `ConnectorRevoked`.
    """
    with transaction.atomic():
        Connector.objects.get_or_create(name=name, defaults={"symbols": sorted(symbols)})
        connector = Connector.objects.select_for_update().get(name=name)
        if connector.is_revoked:
            raise ConnectorRevoked(f"The connector {name} is revoked.")
        allowed = sorted({*connector.symbols, *symbols})
        if allowed != connector.symbols:
            connector.symbols = allowed
            connector.save(update_fields=("symbols",))
    return connector


def is_simulated(symbol: str) -> bool:
    """Whether any connector that sent ticks of the symbol is a simulated one."""
    position = StreamPosition.objects.filter(instrument=symbol).first()
    names = list(position.seqs) if position is not None else []
    return any(connector.is_simulated for connector in Connector.objects.filter(name__in=names))


def record_connector_event(
    connector: str, code: ConnectorEventCode, symbol: str, message: str
) -> None:
    """Keep what a connector reported or what happened to it."""
    ConnectorEvent.objects.create(
        connector=connector[:64],
        code=code,
        instrument=symbol[:20],
        # PostgreSQL keeps no zero characters.
        message=message.replace("\0", "")[:1000],
    )
