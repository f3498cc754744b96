"""Which connectors may send what."""

from collections.abc import Sequence

from django.db import transaction

from signals_app.models import Connector


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
