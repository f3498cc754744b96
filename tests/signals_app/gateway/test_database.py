"""What the gateway asks of the database."""

from typing import Any

import pytest
from django.db import (
    DataError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
)

from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.connector_permits import Permit
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.database import DjangoDatabase
from signals_app.gateway.overlap import StoredQuote
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe
from signals_app.models import Connector, ConnectorEvent, Decision, PriceCandle, StreamPosition

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test's own connection, which lies in a transaction."""
    monkeypatch.setattr("signals_app.gateway.database.close_old_connections", lambda: None)


def claims(connector: str) -> Claims:
    return Claims(connector, ("XAUUSD",), "id", 1_704_456_000, 1_704_459_600)


def test_known_connectors_are_permitted_unless_revoked() -> None:
    Connector.objects.create(name="mt5", symbols=["XAUUSD"])
    Connector.objects.create(name="old", symbols=["XAUUSD"], is_revoked=True)
    tokens = [claims(name) for name in ("mt5", "old", "stranger")]
    assert DjangoDatabase().permits(tokens) == [
        Permit("", frozenset({"XAUUSD"})),
        Permit("the connector is revoked"),
        Permit("the connector is revoked"),
    ]


def test_the_mark_is_the_position_of_the_pipeline() -> None:
    assert DjangoDatabase().checkpoint("XAUUSD") is None
    StreamPosition.objects.create(
        instrument="XAUUSD",
        ordinal=7,
        time_ms=5000,
        bid=2000.5,
        seqs={"mt5": 9, "backup": 3},
        writer="mt5",
        watermark_ms=6000,
        tail=[[2000.5, 2000.8, ["mt5/1f"]]],
    )
    assert DjangoDatabase().checkpoint("XAUUSD") == Checkpoint(
        7,
        5000,
        2000.5,
        {"mt5": 9, "backup": 3},
        writer="mt5",
        watermark_ms=6000,
        tail=(StoredQuote(2000.5, 2000.8, ("mt5/1f",)),),
    )


def test_marks_of_before_the_writer_was_noted_are_still_understood() -> None:
    StreamPosition.objects.create(instrument="XAUUSD", ordinal=9, seqs={"mt5": 11})
    Decision.objects.create(
        instrument="XAUUSD",
        close_time_ms=900_000,
        entry_ordinal=8,
        checkpoint={"ordinal": 7, "time_ms": 5000, "bid": 2000.5, "seqs": {"mt5": 9}},
    )
    assert DjangoDatabase().checkpoint("XAUUSD") == Checkpoint(7, 5000, 2000.5, {"mt5": 9})


def test_history_becomes_candles() -> None:
    row = CandleRow(1_704_456_000_000, 2000.0, 2001.0, 1999.0, 2000.5, 812)
    assert DjangoDatabase().store_history("XAUUSD", Timeframe.M15, [row]) == 1
    assert PriceCandle.objects.get().source == PriceCandle.Source.HISTORY


def test_reports_become_events_and_presence_is_noted() -> None:
    Connector.objects.create(name="mt5", symbols=["XAUUSD"])
    database = DjangoDatabase()
    database.record("mt5", "MT5_DISCONNECTED", "", "gone")
    database.record_presence({"mt5": {"XAUUSD": Role.ACTIVE}})
    event = ConnectorEvent.objects.get()
    assert (event.connector, event.code, event.message) == ("mt5", "MT5_DISCONNECTED", "gone")
    found = Connector.objects.get()
    assert found.roles == {"XAUUSD": "active"}
    assert found.last_seen is not None


def test_waking_asks_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr("signals_app.gateway.database.wake_pipeline", woken.append)
    DjangoDatabase().wake("XAUUSD")
    assert woken == ["XAUUSD"]


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("the server closed the connection"),
        NotSupportedError("the cached plan was closed"),
        ProgrammingError("the relation is closed"),
    ],
)
def test_a_database_that_does_not_answer_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", refuse)
    with pytest.raises(DatabaseUnavailable, match="closed"):
        DjangoDatabase().permits([claims("mt5")])


def test_what_can_never_be_written_is_told_apart_from_a_database_that_is_away() -> None:
    row = CandleRow(1_704_456_000_000, 2e10, 2e10, 2e10, 2e10, 812)
    with pytest.raises(DataError):
        DjangoDatabase().store_history("XAUUSD", Timeframe.M15, [row])


def test_a_report_may_hold_characters_that_the_database_does_not_keep() -> None:
    DjangoDatabase().record("mt5", "MT5_DISCONNECTED", "", "go\0ne")
    assert ConnectorEvent.objects.get().message == "gone"
