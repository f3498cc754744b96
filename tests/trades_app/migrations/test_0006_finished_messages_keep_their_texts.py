"""Messages of a database from before rows held data: their texts stay, columns say the rest."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from reports_app.track_record.proof import verify
from reports_app.track_record.violation import Violation
from reports_app.track_record.sealing import seal_days
from signals_app.models import StreamPosition
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Message
from trades_app.notifications import outbox
from trades_app.notifications.content.alerts import ConnectorHeard
from trades_app.notifications.kinds import text_of
from trades_app.notifications.outbox import Subject

pytestmark = pytest.mark.django_db

BEFORE = "0004_trades_are_closed_by_order_at_the_next_tick"
AFTER = "0006_finished_messages_keep_their_texts"
SIGNAL_KEY, UPDATE_KEY = f"signal:{SIGNAL.signal_id}", f"trade:{SIGNAL.signal_id}:SL_HIT"
REPORT_KEY = "report:XAUUSD:day:2024-01-05"


def migrate(to: str) -> Any:
    """Bring the app's tables to a migration; returns the models as they were then."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    return executor.migrate([("trades_app", to)]).apps


def newest() -> str:
    """The app's last migration, which the models of today belong to."""
    ((_, name),) = MigrationExecutor(connection).loader.graph.leaf_nodes("trades_app")
    return str(name)


def old_rows(digest: str) -> dict[str, tuple[str, str, str | None, str]]:
    """Kind, instrument, signal and text by key, as the code before wrote them."""
    return {
        SIGNAL_KEY: (
            "SIGNAL",
            "XAUUSD",
            SIGNAL.signal_id,
            "🔔 XAUUSD TRADING SIGNAL 🔔\n\n📊 Setup Type: FVG + Order Block Confluence\n"
            f"✅ 🔗 Record: {'f' * 64}",
        ),
        UPDATE_KEY: (
            "TRADE",
            "XAUUSD",
            SIGNAL.signal_id,
            "🛑 Stop reached at 2,039.00\nXAUUSD BUY · XAU_20240105_001",
        ),
        REPORT_KEY: (
            "REPORT",
            "XAUUSD",
            None,
            "📅 XAUUSD DAILY REPORT · Friday, 2024-01-05\n\nSignals: 1 · trades closed: 1\n"
            f"\n🔗 Record: {digest}",
        ),
        "alert:heard:mt5:7": ("ALERT", "", None, "✅ Connector mt5 is heard again."),
    }


def test_texts_stay_and_the_proof_finds_the_digests() -> None:
    stored_trade(SIGNAL, 2039.0)
    StreamPosition.objects.create(instrument="XAUUSD", time_ms=CLOSE_MS + DAY_MS)
    (sealed,) = seal_days("XAUUSD")
    rows = old_rows(sealed.digest)
    old = migrate(BEFORE).get_model("trades_app", "Message")
    for key, (kind, instrument, signal, text) in rows.items():
        old.objects.create(
            key=key, kind=kind, instrument=instrument, signal_id=signal, text=text, status="SENT"
        )

    migrate(AFTER)
    migrate(newest())

    kept = {message.key: message for message in Message.objects.all()}
    assert {key: text_of(message) for key, message in kept.items()} == {
        key: text for key, (*_, text) in rows.items()
    }
    assert {key: (m.digest, m.addressee, m.data) for key, m in kept.items()} == {
        SIGNAL_KEY: ("", "FOLLOWERS", {}),
        UPDATE_KEY: ("", "FOLLOWERS", {}),
        REPORT_KEY: (sealed.digest, "FOLLOWERS", {}),
        "alert:heard:mt5:7": ("", "OPERATORS", {}),
    }
    assert verify()[0].sealed == 1

    Message.objects.filter(key=REPORT_KEY).update(digest="0" * 64)
    with pytest.raises(Violation, match=f"told of the digest {'0' * 64} at the end of 2024-01-05"):
        verify()


def test_a_report_whose_text_named_no_digest_still_names_none() -> None:
    stored_trade(numbered(1), 2039.0)
    old = migrate(BEFORE).get_model("trades_app", "Message")
    old.objects.create(key=REPORT_KEY, kind="REPORT", instrument="XAUUSD", text="Result: +$400.00")

    migrate(AFTER)
    migrate(newest())

    with pytest.raises(Violation, match=f"^The report {REPORT_KEY} names no digest"):
        verify()


def test_there_is_no_way_back_for_messages_that_only_the_new_code_can_read() -> None:
    subject, alert = Subject.for_operators(), ConnectorHeard(connector="mt5")
    outbox.put(Message.Kind.ALERT, subject, "alert:heard:mt5:1", alert)

    with pytest.raises(DatabaseError, match="messages without a text"), transaction.atomic():
        migrate(BEFORE)

    assert Message.objects.get().data == {"alert": "CONNECTOR_HEARD", "connector": "mt5"}
