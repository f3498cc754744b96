"""What connector events say by their codes: what was reported or noticed."""

from enum import StrEnum


class ConnectorEventCode(StrEnum):
    """Every code of a connector event; docs/operations/runbook.md says what to do about each."""

    # What a connector reports of its terminal, in the words of the wire protocol.
    MT5_DISCONNECTED = "MT5_DISCONNECTED"
    MT5_RECONNECTED = "MT5_RECONNECTED"
    SYMBOL_UNAVAILABLE = "SYMBOL_UNAVAILABLE"

    # What the gateway notices.
    PROMOTED = "PROMOTED"
    NAME_IN_USE = "NAME_IN_USE"

    # What the pipeline notices.
    DECISION_NOT_STORED = "DECISION_NOT_STORED"
    DECISIONS_WAIT = "DECISIONS_WAIT"

    # What the watch of the feed finds.
    FEED_STALE = "FEED_STALE"
    FEED_FLOWING = "FEED_FLOWING"
    CONNECTOR_SILENT = "CONNECTOR_SILENT"
    CONNECTOR_HEARD = "CONNECTOR_HEARD"
    TRADE_OVERDUE = "TRADE_OVERDUE"


#: After one of these a connector gives no ticks until it reports `MT5_RECONNECTED`.
CUT_OFF = (ConnectorEventCode.MT5_DISCONNECTED, ConnectorEventCode.SYMBOL_UNAVAILABLE)
