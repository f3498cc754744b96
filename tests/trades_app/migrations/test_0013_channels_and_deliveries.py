"""Messages from before are given to no channel again, and hold no bot token any more."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("trades_app", "0012_trades_keep_their_rate")]
AFTER = [("trades_app", "0013_channels_and_deliveries")]


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_or_refused_stays_so_and_what_waits_is_given_to_channels() -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        old = MigrationExecutor(connection).loader.project_state(BEFORE).apps
        rows = old.get_model("trades_app", "Message").objects
        error = "The token `123456:AA-secret_secret` was rejected by the server."
        for status in ("SENT", "FAILED", "SENDING", "WAITING"):
            rows.create(key=status, kind="TRADE", instrument="X", status=status, error=error)

        MigrationExecutor(connection).migrate(AFTER)

        new = MigrationExecutor(connection).loader.project_state(AFTER).apps
        found = {row.key: row for row in new.get_model("trades_app", "Message").objects.all()}
        routed = {key: row.routed_at is not None for key, row in found.items()}
        assert routed == {"SENT": True, "FAILED": True, "SENDING": False, "WAITING": False}
        assert found["SENDING"].status == "WAITING"
        assert all(row.happened_at == row.created_at for row in found.values())
        assert {row.error for row in found.values()} == {
            "The token `<bot token>` was rejected by the server."
        }
    finally:
        MigrationExecutor(connection).migrate(latest)
