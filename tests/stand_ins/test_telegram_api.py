"""The stand-in of Telegram holds those who use it to its law."""

import time

import httpx
import pytest

from tests.stand_ins.telegram_api import Chat, Fault, Law, TelegramApi, serving


def call(api: TelegramApi, method: str = "sendMessage", **arguments: object) -> httpx.Response:
    given = {"chat_id": "@gold", "text": "hello"} | arguments
    return httpx.post(f"{api.base_url}/bot{api.token}/{method}", data=given)


def send_twice(api: TelegramApi) -> None:
    with serving(api):
        call(api)
        call(api)


def test_two_calls_of_a_chat_within_a_second_fail_the_test() -> None:
    with pytest.raises(AssertionError, match="flood law was broken"):
        send_twice(TelegramApi())
    send_twice(TelegramApi(law=Law(chat_seconds=0)))


def test_edits_and_checks_count_as_messages_do_in_a_minute() -> None:
    api = TelegramApi(law=Law(chat_seconds=0, chat_per_minute=2))
    with serving(api, is_lawful=False):
        call(api)
        call(api, "editMessageText", message_id=1, text="two")
        call(api, "getChat", chat_id=-1001)

    assert api.violations == ["3 calls to -1001 within a minute"]


def test_the_bots_second_is_shared_by_all_chats() -> None:
    chats = {f"@chat{n}": -n for n in range(1, 4)}
    api = TelegramApi(chats=chats, law=Law(bot_per_second=2))
    with serving(api, is_lawful=False):
        for chat in chats:
            call(api, chat_id=chat)

    assert api.violations == ["3 calls within a second"]


@pytest.mark.parametrize("method", ["sendMessage", "getChat", "getMe"])
def test_no_call_may_come_within_a_pause_and_getme_neither(method: str) -> None:
    api = TelegramApi(law=Law(chat_seconds=0))
    with serving(api, is_lawful=False):
        api.faults = [Fault(status=429, description="Too Many Requests", retry_after=5)]
        assert call(api).json()["parameters"] == {"retry_after": 5}
        httpx.post(
            f"{api.base_url}/bot{api.token}/{method}",
            data={} if method == "getMe" else {"chat_id": "@gold", "text": "x"},
        )

    assert "before a pause is over" in api.violations[0]


def test_another_chat_may_be_called_within_a_pause() -> None:
    chats = {"@gold": -1, "@silver": -2}
    with serving(TelegramApi(chats=chats)) as api:
        api.faults = [Fault(status=429, description="Too Many Requests", retry_after=1)]
        call(api)
        assert call(api, chat_id="@silver").status_code == 200
        time.sleep(1.05)
        assert call(api).status_code == 200


def test_it_refuses_as_telegram_does() -> None:
    law = Law(chat_seconds=0, chat_per_minute=100)
    group = Chat(-5, "group", migrated_to=-1005)
    with serving(TelegramApi(chats={"@gold": -1001, "-5": group}, law=law)) as api:
        call(api)
        unchanged = call(api, "editMessageText", message_id=1, text="hello")
        assert unchanged.json()["description"].startswith("Bad Request: message is not modified")
        assert "to edit not found" in call(api, "editMessageText", message_id=9).text
        assert call(api, chat_id="@nobody").json()["error_code"] == 400
        assert call(api, chat_id="-5").json()["parameters"] == {"migrate_to_chat_id": -1005}
        assert call(api, text="<b>x", parse_mode="HTML").status_code == 400
        assert call(api, message_thread_id=7).json()["description"].endswith("thread not found")
        api.token = "123456:ANOTHER"
        assert httpx.post(f"{api.base_url}/bot1:OLD/getMe").status_code == 401
