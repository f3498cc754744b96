"""Messages leave the outbox in order, by the flood law, and what fails has its own consequence."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from signals_app.models import Signal
from tests.stand_ins.telegram_api import Chat, Fault, Law, TelegramApi
from trades_app.models import CallWindow, Channel, ChannelDelivery, Message, TelegramBot
from trades_app.notifications import delivery, outbox
from trades_app.notifications.content.alerts import ConnectorHeard
from trades_app.notifications.kinds import REPEATED
from trades_app.notifications.outbox import Subject
from trades_app.notifications.telegram import flood

pytestmark = pytest.mark.django_db


def put(signal: Signal, key: str, text: str = "hello", **columns: object) -> Message:
    return Message.objects.create(
        key=key,
        kind=columns.pop("kind", "SIGNAL"),
        instrument=signal.instrument,
        signal=signal,
        text=text,
        **columns,
    )


def deliver() -> int:
    return delivery.deliver(seconds=20)


def deliver_at_once() -> int:
    """Deliver as if every pause between attempts were over."""
    Channel.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    return deliver()


def calls(api: TelegramApi) -> list[str]:
    return [method for method, _ in api.calls]


def to(chat: int):
    return lambda method, arguments: arguments.get("chat_id") in (str(chat), "@gold", "@other")


def is_send(method: str, arguments: object) -> bool:
    return method.startswith("send")


def test_a_message_is_sent_once_and_remembers_its_telegram_id(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}")

    deliver()
    deliver()

    message = Message.objects.get()
    assert telegram_api.texts() == ["hello"]
    assert (message.status, message.telegram_message_id, message.attempts) == ("SENT", 1, 1)
    assert message.sent_at is not None
    # The chat is checked before its first use, and getMe is never asked.
    assert calls(telegram_api) == ["getChat", "getChatMember", "sendMessage"]


def test_later_messages_of_a_signal_answer_its_announcement(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "announcement")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "first target", kind="TRADE")

    deliver()

    reply = telegram_api.messages[-1001, 2]
    assert reply["text"] == "first target"
    assert reply["reply_to_message"]["text"] == "announcement"


def test_without_a_token_messages_stay(signal: Signal, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    put(signal, "signal:x")

    deliver()

    assert Message.objects.get().status == "WAITING"
    assert outbox.unsent() == 0


def test_an_accepted_message_whose_answers_get_lost_stands_five_times_at_most_and_says_so(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    put(signal, "signal:y", "the next")
    telegram_api.faults = [Fault("cut", accepts=True, matches=is_send) for _ in range(5)]

    for _ in range(8):
        deliver_at_once()

    assert telegram_api.texts() == ["hello", *[f"hello\n{REPEATED}"] * 4, "the next"]
    first = ChannelDelivery.objects.get(message__key="signal:x")
    assert (first.status, first.copies) == ("UNCONFIRMED", 5)
    alert = Message.objects.get(kind="ALERT")
    assert alert.data["alert"] == "MESSAGE_UNCONFIRMED"


def test_a_message_whose_answer_got_lost_once_is_sent_once_more_and_counts_its_copies(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    telegram_api.faults = [Fault("half", accepts=True, matches=is_send)]

    deliver()
    deliver_at_once()

    assert telegram_api.texts() == ["hello", f"hello\n{REPEATED}"]
    assert ChannelDelivery.objects.get().copies == 2
    assert Message.objects.get().status == "SENT"


def test_a_message_whose_sender_was_killed_is_in_doubt_and_sent_once_more(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    deliver()
    row = ChannelDelivery.objects.get()
    # As kill -9 leaves it between Telegram's acceptance and the commit.
    ChannelDelivery.objects.update(status="SENDING", copies=0)
    Channel.objects.update(leased_until=timezone.now() + timedelta(seconds=1), lease=7)

    deliver()
    assert telegram_api.texts() == ["hello"]

    Channel.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    deliver()
    row.refresh_from_db()
    assert (row.status, row.copies) == ("SENT", 2)
    assert telegram_api.texts() == ["hello", f"hello\n{REPEATED}"]


def test_a_pause_holds_up_every_call_of_its_chat_and_no_other_chat(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    telegram_api.chats = {"@gold": -1001, "@other": -1002}
    Channel.objects.create(chat="@other", audience="MIRROR")
    for number in range(3):
        put(signal, f"signal:{number}", f"text {number}")
    telegram_api.faults = [
        Fault(
            status=429,
            description="Too Many Requests: retry after 60",
            retry_after=60,
            matches=lambda method, arguments: (
                method == "sendMessage" and arguments["chat_id"] == "@gold"
            ),
        )
    ]

    deliver()
    # Neither a further message, nor an operator's impatience, nor a check gets through.
    outbox.send_again(Message.objects.all())
    Channel.objects.update(checked_at=None, not_before=timezone.now())
    deliver()
    assert telegram_api.texts(-1001) == []
    assert telegram_api.texts(-1002) == ["text 0", "text 1", "text 2"]

    # A minute later.
    CallWindow.objects.filter(key="-1001").update(halted_until=0)
    telegram_api._halted.clear()
    deliver_at_once()
    assert telegram_api.texts(-1001) == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize("status", [500, 502])
def test_an_outage_postpones_and_the_order_is_kept(
    status: int, signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "first")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "second", kind="TRADE")
    put(signal, "report:x", "third", kind="REPORT")
    telegram_api.faults = [Fault(status=status, matches=is_send) for _ in range(4)]

    for _ in range(4):
        deliver_at_once()
        assert telegram_api.texts() == []
    message = Message.objects.get(key=f"signal:{signal.pk}")
    assert (message.status, message.attempts) == ("WAITING", 4)

    deliver_at_once()
    assert telegram_api.texts() == ["first", "second", "third"]


def test_each_failure_in_a_row_waits_twice_as_long_and_at_most_ten_minutes(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    put(signal, "signal:x")

    waited = []
    for _ in range(11):
        before = timezone.now()
        deliver_at_once()
        waited.append(round((Channel.objects.get().not_before - before).total_seconds()))

    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_a_chat_that_takes_nothing_is_parked_with_an_alert_and_delays_no_other(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    telegram_api.chats = {"@other": -1002}
    Channel.objects.create(chat="@other", audience="OPERATORS")
    put(signal, "signal:x")

    deliver()
    deliver()

    gold = Channel.objects.get(chat="@gold")
    assert (gold.access, gold.problem) == ("PARKED", "Chat not found")
    assert Message.objects.get(key="signal:x").status == "WAITING"
    assert len(telegram_api.texts(-1002)) == 1
    assert "@gold takes no messages: Chat not found" in telegram_api.texts(-1002)[0]
    # No second alert, and no call but the check that an operator or the hour asks for.
    before = len(telegram_api.calls)
    deliver()
    assert len(telegram_api.calls) == before

    telegram_api.chats["@gold"] = -1001
    deliver_at_once()
    deliver_at_once()
    assert telegram_api.texts(-1001) == ["hello"]
    assert telegram_api.texts(-1002)[1] == "✅ Telegram chat Gold takes messages again."


@pytest.mark.parametrize(
    "chat",
    [
        Chat(-1001, bot_is="kicked"),
        Chat(-1001, may_post=False),
        Chat(-1001, "private", forbidden="bot was blocked by the user"),
    ],
)
def test_a_bot_that_was_thrown_out_between_two_messages_parks_the_chat(
    chat: Chat, signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    deliver()
    telegram_api.chats = {"@gold": chat}
    put(signal, "signal:y")

    deliver()

    assert Channel.objects.get().access == "PARKED"
    assert Message.objects.get(key="signal:y").status == "WAITING"
    assert Message.objects.get(kind="ALERT").data["alert"] == "CHANNEL_PARKED"


def test_a_group_that_became_a_supergroup_is_parked_and_its_new_id_offered(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    deliver()
    telegram_api.chats = {"@gold": Chat(-1001, "group", migrated_to=-1005), "x": Chat(-1005)}
    put(signal, "signal:y")

    for _ in range(3):
        deliver()

    channel = Channel.objects.get()
    assert (channel.access, channel.migrated_to) == ("PARKED", "-1005")
    assert calls(telegram_api).count("sendMessage") == 2
    assert Message.objects.get(kind="ALERT").data["migrated_to"] == "-1005"


def test_a_revoked_token_stops_all_calls_fails_nothing_and_is_written_nowhere(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    secret = "123456:REVOKED-REVOKED-REVOKED-REVOKED"
    settings.TELEGRAM_BOT_TOKEN = secret
    for number in range(5):
        put(signal, f"signal:{number}")

    with capture_logs() as logs:
        for _ in range(3):
            deliver_at_once()

    assert set(Message.objects.values_list("status", flat=True)) == {"WAITING"}
    assert len(telegram_api.calls) == 1
    written = [
        str(logs),
        *map(str, Message.objects.values()),
        *map(str, ChannelDelivery.objects.values()),
    ]
    written += [*map(str, Channel.objects.values()), *map(str, TelegramBot.objects.values())]
    assert "REVOKED" not in "".join(written)
    assert Message.objects.filter(kind="ALERT", data__alert="BOT_REFUSED").count() == 1

    # A new token is used at once.
    settings.TELEGRAM_BOT_TOKEN = telegram_api.token
    deliver_at_once()
    assert telegram_api.texts() == ["hello"] * 5


def test_twenty_follow_ups_behind_a_postponed_message_starve_no_other_channel(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    telegram_api.chats = {"@gold": -1001, "@operators": -1002}
    settings.OPERATOR_TELEGRAM_CHANNEL = "@operators"
    for number in range(25):
        put(signal, f"signal:{number}")
    outbox.put(
        Message.Kind.ALERT, Subject.for_operators(), "alert:x", ConnectorHeard(connector="mt5")
    )
    telegram_api.chaos = lambda method, arguments: (
        Fault(status=500) if arguments.get("chat_id") == "@gold" else None
    )

    deliver()

    assert telegram_api.texts() == ["✅ Connector mt5 is heard again."]


def test_a_channel_given_later_gets_no_old_messages_and_an_operator_can_send_them_anyway(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    weeks_ago = timezone.now() - timedelta(weeks=3)
    for number in range(30):
        put(signal, f"signal:{number}", "old", happened_at=weeks_ago)
    Message.objects.update(created_at=weeks_ago)
    # Put in just now by history that was caught up, before there was a channel.
    put(signal, "signal:caught-up", "old", happened_at=weeks_ago)
    put(signal, "signal:new", "new")

    deliver()

    assert telegram_api.texts() == ["new"]
    old = Message.objects.exclude(key="signal:new")
    assert set(old.values_list("status", flat=True)) == {"SKIPPED"}
    assert "not sent as new" in old[0].error

    assert outbox.send_again(old.filter(key="signal:3")) == 1
    deliver_at_once()
    assert telegram_api.texts() == ["new", "old"]


def test_what_grew_too_old_while_it_waited_is_skipped(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    telegram_api.faults = [Fault(matches=is_send)]
    deliver()
    Message.objects.update(created_at=timezone.now() - timedelta(hours=2))

    deliver_at_once()

    assert (ChannelDelivery.objects.get().status, telegram_api.texts()) == ("SKIPPED", [])
    assert Message.objects.get().status == "SKIPPED"


def test_the_simulated_feed_reaches_no_channel_unless_asked(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    put(signal, "signal:x", data={"is_simulated": True})
    deliver()
    assert (telegram_api.texts(), Message.objects.get().status) == ([], "SKIPPED")

    Channel.objects.update(sends_simulated=True)
    put(signal, "signal:y", "asked", data={"is_simulated": True})
    deliver()
    assert telegram_api.texts() == ["asked"]


def test_the_minutes_law_is_kept_across_chats_and_messages(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    telegram_api.law = Law(chat_seconds=0.02, chat_per_minute=5, bot_per_second=30)
    settings.TELEGRAM_CHAT_PER_MINUTE = 5
    for number in range(10):
        put(signal, f"signal:{number}", str(number))

    deliver()
    deliver_at_once()

    # Two calls were the check's.
    assert telegram_api.texts() == ["0", "1", "2"]
    wait = Channel.objects.get().not_before - timezone.now()
    assert timedelta(seconds=50) < wait < timedelta(seconds=61)
    assert flood.acquire("-1001") > 50


def test_content_that_is_refused_fails_alone_with_an_alert(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x", "x" * 4097)
    put(signal, "signal:y", "fits")

    deliver()

    message = Message.objects.get(key="signal:x")
    assert (message.status, message.error) == ("FAILED", "Message is too long")
    assert telegram_api.texts() == ["fits"]
    assert Message.objects.get(kind="ALERT").data["alert"] == "MESSAGES_REFUSED"


def test_alerts_go_to_the_operators_and_not_to_followers(
    telegram_api: TelegramApi, settings: Settings, signal: Signal
) -> None:
    subject = Subject.for_operators("XAUUSD")
    outbox.put(Message.Kind.ALERT, subject, "alert:x", ConnectorHeard(connector="mt5"))
    deliver()
    assert (telegram_api.texts(), outbox.unsent()) == ([], 0)

    telegram_api.chats["@operators"] = -1002
    settings.OPERATOR_TELEGRAM_CHANNEL = "@operators"
    assert outbox.unsent() == 1
    deliver()
    assert telegram_api.texts(-1002) == ["✅ Connector mt5 is heard again."]
    assert telegram_api.texts(-1001) == []


def test_a_message_whose_text_cannot_be_made_holds_up_no_other(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, f"signal:{signal.pk}", "")
    put(signal, f"trade:{signal.pk}:TP1_HIT", "second", kind="TRADE")

    deliver()

    failed = Message.objects.get(key=f"signal:{signal.pk}")
    assert failed.status == "FAILED"
    assert failed.error.startswith(f"The text of signal:{signal.pk} cannot be made: ")
    assert telegram_api.texts() == ["second"]


def test_a_further_task_is_started_where_another_chat_waits(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    telegram_api.chats["@other"] = -1002
    Channel.objects.create(chat="@other", audience="MIRROR")
    put(signal, "signal:x")
    started = []

    delivery.deliver(start_another=lambda: started.append(1))

    assert started == [1]
    assert telegram_api.texts() == ["hello", "hello"]


def test_quiet_hours_and_loudness_decide_on_the_sound(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    now = timezone.now()
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).time(),
        "quiet_until": (now + timedelta(hours=1)).time(),
    }
    Channel.objects.create(chat="@gold", signals="DAYTIME", trades="LOUD", **quiet)
    put(signal, "signal:x", "quiet")
    put(signal, "trade:x", "loud", kind="TRADE")

    deliver()

    assert [m["_silent"] for m in telegram_api.messages.values()] == [True, False]


def test_a_chat_that_is_not_on_the_allow_list_gets_nothing(
    signal: Signal, telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_ALLOWED_CHATS = ["@silver"]
    put(signal, "signal:x")

    deliver()

    assert telegram_api.texts() == []
    assert "TELEGRAM_ALLOWED_CHATS" in Channel.objects.get().problem


def test_a_server_that_knows_no_checks_is_sent_to_all_the_same(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    telegram_api.faults = [Fault(status=404, description="Not Found: method not found")]

    deliver()

    assert telegram_api.texts() == ["hello"]


def test_a_chat_under_two_names_gets_each_message_once(
    signal: Signal, telegram_api: TelegramApi
) -> None:
    put(signal, "signal:x")
    deliver()
    Channel.objects.create(chat="-1001")
    put(signal, "signal:y", "once")

    deliver()

    assert telegram_api.texts() == ["hello", "once"]
    twin = Channel.objects.get(chat="-1001")
    assert twin.access == "PARKED"
    assert twin.problem.startswith("It is the chat @gold by another name")
