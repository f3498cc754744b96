"""What an admitted connector may say, message by message."""

import pytest

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import BadMessage, CandleRow, ErrorCode, Role, Row
from signals_app.gateway import replies
from signals_app.gateway.actions import (
    Dropped,
    RecordEvent,
    RenewLeases,
    StoreHistory,
    StoreTicks,
    StoreWatermark,
)
from signals_app.gateway.admitted import AdmittedConnector
from signals_app.gateway.limits import MAXIMUM_AHEAD_MS
from signals_app.gateway.roles import SymbolRoles
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe

NOON = 1_704_456_000_000
GOLD, EURO, SILVER = "XAUUSD", "EURUSD", "XAGUSD"
CLAIMS = Claims("mt5", (GOLD, EURO), "id", NOON // 1000, NOON // 1000 + 3600)
ROW = Row(NOON, 2000.0, 2000.3)


@pytest.fixture
def connector() -> AdmittedConnector:
    """Active in gold, on standby in the euro."""
    return AdmittedConnector(CLAIMS, SymbolRoles({GOLD: Role.ACTIVE, EURO: Role.STANDBY}))


def test_ticks_of_the_active_one_are_stored_alone_or_in_batches(
    connector: AdmittedConnector,
) -> None:
    single = wire.TickMessage(GOLD, wire.iso(NOON), 2000.0, 2000.3, seq=7)

    assert connector.ticks(single, NOON) == (StoreTicks(GOLD, 7, (ROW,)),)
    batch = wire.TickBatch(GOLD, [ROW, ROW], seq=8)
    assert connector.ticks(batch, NOON) == (StoreTicks(GOLD, 8, [ROW, ROW]),)
    assert connector.ticks(wire.TickBatch(GOLD, [], seq=10), NOON) == ()


def test_a_standby_is_warned_once_and_its_ticks_are_dropped(connector: AdmittedConnector) -> None:
    batch = wire.TickBatch(EURO, [Row(NOON, 1.1, 1.2)], seq=3)

    warned, dropped = connector.ticks(batch, NOON)

    text = "another connector is active"
    assert warned == replies.error(ErrorCode.STANDBY, text, NOON, EURO)
    assert dropped == Dropped(EURO, 3, 1)
    assert connector.ticks(batch, NOON) == (dropped,)


def test_a_symbol_that_is_not_the_connectors_is_forbidden(connector: AdmittedConnector) -> None:
    refused = (replies.forbidden(SILVER, CLAIMS, NOON),)

    assert connector.ticks(wire.TickBatch(SILVER, [ROW], seq=1), NOON) == refused
    history = wire.History(SILVER, "M15", [])
    assert connector.history(history, NOON) == refused
    _, _, answer = connector.heartbeat(
        wire.Heartbeat(wire.iso(NOON), watermark={SILVER: NOON}), NOON
    )
    assert (answer,) == refused


def test_a_heartbeat_is_answered_and_renews_the_leases_of_active_symbols(
    connector: AdmittedConnector,
) -> None:
    latest = NOON + MAXIMUM_AHEAD_MS

    found = connector.heartbeat(
        wire.Heartbeat(wire.iso(NOON), watermark={GOLD: latest, EURO: latest}), NOON
    )

    assert found == (
        replies.heartbeat_ack(NOON),
        RenewLeases((GOLD,)),
        StoreWatermark(GOLD, latest),
    )


def test_a_watermark_from_the_future_is_refused(connector: AdmittedConnector) -> None:
    beyond = NOON + MAXIMUM_AHEAD_MS + 1

    *_, answer = connector.heartbeat(wire.Heartbeat(wire.iso(NOON), watermark={GOLD: beyond}), NOON)

    assert answer == replies.error(ErrorCode.BAD_TICK, "watermark in the future", NOON, GOLD)


def test_history_of_a_timeframe_that_is_analysed_is_stored(connector: AdmittedConnector) -> None:
    rows = [CandleRow(NOON - 1_800_000, 2000.0, 2001.0, 1999.0, 2000.5, 80)]

    assert connector.history(wire.History(GOLD, "M15", rows), NOON) == (
        StoreHistory(GOLD, Timeframe.M15, rows),
    )
    for timeframe in ("M1", "W1"):
        with pytest.raises(BadMessage, match=f"history of timeframe '{timeframe}'"):
            connector.history(wire.History(GOLD, timeframe, rows), NOON)


def test_history_that_cannot_be_right_is_refused(connector: AdmittedConnector) -> None:
    below = [CandleRow(NOON - 1_800_000, 2000.0, 1999.5, 1999.0, 2000.5, 80)]

    with pytest.raises(BadMessage):
        connector.history(wire.History(GOLD, "M15", below), NOON)


@pytest.mark.parametrize(
    ("code", "is_recorded"),
    [("MT5_DISCONNECTED", True), ("SYMBOL_UNAVAILABLE", True), ("BAD_TICK", False), ("?", False)],
)
def test_errors_of_the_terminal_are_recorded_and_others_ignored(
    connector: AdmittedConnector, code: str, is_recorded: bool
) -> None:
    message = wire.Error(code, "it went away", wire.iso(NOON), None)

    expected = (RecordEvent(ErrorCode(code), "", "it went away"),) if is_recorded else ()
    assert connector.error(message, NOON) == expected


def test_a_connector_reports_about_its_own_symbols_alone(connector: AdmittedConnector) -> None:
    own, foreign = (
        wire.Error("SYMBOL_UNAVAILABLE", "no ticks", wire.iso(NOON), symbol)
        for symbol in (EURO, SILVER)
    )

    code = ErrorCode.SYMBOL_UNAVAILABLE
    assert connector.error(own, NOON) == (RecordEvent(code, EURO, "no ticks"),)
    assert connector.error(foreign, NOON) == (replies.forbidden(SILVER, CLAIMS, NOON),)
