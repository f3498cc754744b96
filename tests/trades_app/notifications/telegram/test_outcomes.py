"""Outcomes say in a sentence what happened."""

from trades_app.notifications.telegram.outcomes import ChatClosed, ChatMigrated, Halted


def test_a_pause_and_a_new_id_are_said() -> None:
    assert str(Halted(30)) == "Telegram asked for a pause of 30 s"
    migrated = ChatMigrated(-1005)
    assert (migrated.chat, str(migrated)) == (
        "-1005",
        "The group became a supergroup, whose id is -1005",
    )
    assert isinstance(migrated, ChatClosed)
