"""What Telegram answers is said as what follows from it, by the real client over HTTP."""

import logging
import os
import subprocess
import sys
import traceback

import pytest
from pytest_django.fixtures import Settings

from tests.paths import ROOT
from tests.stand_ins.telegram_api import Chat, Fault, TelegramApi
from trades_app.notifications.rendered import Rendered
from trades_app.notifications.telegram import bot
from trades_app.notifications.telegram.bot import Address
from trades_app.notifications.telegram.outcomes import (
    Accepted,
    BotTokenRefused,
    CardGone,
    ChatClosed,
    ChatFound,
    ChatMigrated,
    ContentRefused,
    Halted,
    MethodUnknown,
    NotAccepted,
    TelegramTrouble,
    Unconfirmed,
)

GOLD = Address("@gold")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture(autouse=True)
def _unlimited(telegram_api: TelegramApi) -> None:
    """These tests call the bot beneath the flood law."""
    telegram_api.law = type(telegram_api.law)(0.0, 10_000, 10_000)


def send(text: str = "hello", to: Address = GOLD, **options: object) -> Accepted:
    return bot.send(to, Rendered(text), **options)


def test_a_text_is_sent_below_the_one_it_answers_without_asking_getme(
    telegram_api: TelegramApi,
) -> None:
    first = send("announcement")
    second = send("first target", reply_to=first.message_id, is_silent=True)

    assert (first, second) == (Accepted(1), Accepted(2))
    answer = telegram_api.messages[-1001, 2]
    assert answer["reply_to_message"]["text"] == "announcement"
    assert (telegram_api.messages[-1001, 1]["_silent"], answer["_silent"]) == (False, True)
    assert [method for method, _ in telegram_api.calls] == ["sendMessage", "sendMessage"]


def test_a_text_whose_answered_message_is_gone_is_sent_alone(telegram_api: TelegramApi) -> None:
    assert send("first target", reply_to=99) == Accepted(1)
    assert telegram_api.texts() == ["first target"]


def test_a_picture_is_sent_with_html_caption_button_and_topic(telegram_api: TelegramApi) -> None:
    telegram_api.chats["@gold"] = Chat(-1001, "supergroup", topics=frozenset({7}))
    content = Rendered("<b>BUY</b> &lt;now&gt;", True, PICTURE, "BUY XAUUSD")

    accepted = bot.send(Address("@gold", 7), content)

    message = telegram_api.messages[-1001, 1]
    assert accepted == Accepted(1, has_picture=True)
    assert (message["caption"], message["message_thread_id"]) == ("BUY <now>", 7)
    assert message["_picture"] == PICTURE
    assert message["_markup"]["inline_keyboard"][0][0]["copy_text"] == {"text": "BUY XAUUSD"}


def test_a_message_is_edited_and_what_it_shows_already_is_no_error(
    telegram_api: TelegramApi,
) -> None:
    send("one")
    for _ in range(2):
        bot.edit(GOLD, 1, Rendered("two"), has_picture=False)
    bot.send(GOLD, Rendered("chart", picture=PICTURE))
    for _ in range(2):
        bot.edit(GOLD, 2, Rendered("moved"), has_picture=True)
    bot.edit(GOLD, 2, Rendered("end", picture=PICTURE + b"2"), has_picture=True)

    assert telegram_api.texts() == ["two", "end"]
    assert telegram_api.messages[-1001, 2]["_picture"] == PICTURE + b"2"


def test_a_deleted_message_is_gone_for_edits(telegram_api: TelegramApi) -> None:
    send("one")
    telegram_api.delete(-1001, 1)

    with pytest.raises(CardGone, match="to edit not found"):
        bot.edit(GOLD, 1, Rendered("two"), has_picture=False)


@pytest.mark.parametrize("as_timedelta", ["true", "false"])
def test_a_pause_that_telegram_asks_for_is_named(
    telegram_api: TelegramApi, as_timedelta: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", as_timedelta)
    telegram_api.faults = [(429, "Too Many Requests: retry after 30", 30)]

    with pytest.raises(Halted) as halted:
        send()

    assert halted.value.seconds == 30


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(status=500), NotAccepted),
        (Fault(status=502, description="Bad Gateway"), NotAccepted),
        (Fault(status=504, description="Gateway Timeout"), Unconfirmed),
        (Fault(how="cut"), Unconfirmed),
        (Fault(how="cut", accepts=True), Unconfirmed),
        (Fault(how="half", accepts=True), Unconfirmed),
        (Fault(how="late", accepts=True, seconds=30), Unconfirmed),
        (Fault(status=403, description="Forbidden: bot was blocked by the user"), ChatClosed),
        (Fault(status=400, description="Bad Request: CHAT_WRITE_FORBIDDEN"), ChatClosed),
        (Fault(status=400, description="Bad Request: something new"), ContentRefused),
        (Fault(status=413, description="Request Entity Too Large"), ContentRefused),
        (Fault(status=401, description="Unauthorized"), BotTokenRefused),
        (Fault(status=404, description="Not Found"), MethodUnknown),
    ],
)
def test_each_failure_is_known_by_what_follows_from_it(
    fault: Fault, outcome: type[TelegramTrouble], telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_TIMEOUT = 0.3
    telegram_api.faults = [fault]

    with pytest.raises(TelegramTrouble) as trouble:
        send()

    assert type(trouble.value) is outcome
    assert telegram_api.texts() == (["hello"] if fault.accepts else [])


def test_a_server_that_cannot_be_reached_got_nothing(
    telegram_api: TelegramApi, settings: Settings
) -> None:
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"

    with pytest.raises(NotAccepted):
        send()


@pytest.mark.parametrize(
    ("text", "is_html", "says"),
    [
        ("x" * 4097, False, "is too long"),
        ("😀" * 2049, False, "is too long"),
        ("<b>open", True, "can't parse entities"),
        ("<table>", True, "can't parse entities"),
        (" ", False, "text is empty"),
    ],
)
def test_content_that_will_never_be_accepted_is_refused(
    text: str, is_html: bool, says: str, telegram_api: TelegramApi
) -> None:
    with pytest.raises(ContentRefused, match=r"(?i)" + says):
        bot.send(GOLD, Rendered(text, is_html))


def test_captions_are_counted_in_utf_16_without_their_markup(telegram_api: TelegramApi) -> None:
    fits = "<b>" + "😀" * 512 + "</b>"
    assert bot.send(GOLD, Rendered(fits, True, PICTURE)).has_picture

    with pytest.raises(ContentRefused, match=r"(?i)caption is too long"):
        bot.send(GOLD, Rendered(fits + "x", True, PICTURE))


def test_a_group_that_became_a_supergroup_names_its_new_id(telegram_api: TelegramApi) -> None:
    telegram_api.chats["-5"] = Chat(-5, "group", migrated_to=-1005)

    with pytest.raises(ChatMigrated) as migrated:
        send(to=Address("-5"))

    assert migrated.value.chat == "-1005"


def test_a_chat_is_found_and_the_rights_in_it_are_checked(telegram_api: TelegramApi) -> None:
    assert bot.find_chat("@gold") == ChatFound(-1001, "Gold", is_private=False)
    bot.check_rights("@gold")

    telegram_api.chats["@gold"] = Chat(-1001, may_post=False)
    with pytest.raises(ChatClosed, match="may not post"):
        bot.check_rights("@gold")
    telegram_api.chats["@gold"] = Chat(-1001, bot_is="left")
    with pytest.raises(ChatClosed, match="no member"):
        bot.check_rights("@gold")
    with pytest.raises(ChatClosed, match="Chat not found"):
        bot.find_chat("@silver")


def test_a_revoked_token_is_said_and_stands_in_no_error_and_no_log(
    telegram_api: TelegramApi, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "123456:" + "REVOKED-" * 4
    settings.TELEGRAM_BOT_TOKEN = secret
    caplog.set_level(logging.DEBUG)

    with pytest.raises(BotTokenRefused) as refused:
        send()

    written = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "does not accept" in str(refused.value)
    assert "REVOKED" not in written


def test_there_is_no_bot_without_a_token(settings: Settings, db: None) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""

    assert not bot.is_configured()


def test_a_process_that_sends_nothing_loads_no_telegram() -> None:
    """Loading it is a tenth of Django's start, which every command and test process pays."""
    program = "import django, sys; django.setup(); sys.exit('telegram' in sys.modules)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "goldtrader.settings"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0
