"""Chats as people paste them become the name that Telegram takes, or are refused with a reason."""

import pytest

from signals_app.chat_names import NotAChat, normalised


@pytest.mark.parametrize(
    ("given", "chat"),
    [
        ("@gold", "@gold"),
        ("gold", "@gold"),
        ("  @ gold_signals ", "@gold_signals"),
        ("https://t.me/gold", "@gold"),
        ("t.me/gold/", "@gold"),
        ("https://t.me/s/gold?before=3", "@gold"),
        ("http://www.telegram.me/gold/17", "@gold"),
        ("T.ME/Gold", "@Gold"),
        ("https://t.me/c/1234567890/17", "-1001234567890"),
        ("-1001234567890", "-1001234567890"),
        ("\u20111001234567890", "-1001234567890"),
        ("\uff0d\uff11\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16", "-100123456"),
        ("\uff20gold", "@gold"),
        ("\u200b@go\u200dld\ufeff", "@gold"),
        ("\u202a@gold\u202c\n", "@gold"),
        ("123456", "123456"),
        ("", ""),
        (" \u200b ", ""),
    ],
)
def test_a_chat_is_put_right(given: str, chat: str) -> None:
    assert normalised(given) == chat
    assert normalised(chat) == chat


@pytest.mark.parametrize(
    "given",
    [
        *("@", "@abc", "@1gold", "@gold!", "@gold,@silver", "@золото", "0", "-0", "--5", "x" * 201),
        *("https://t.me/+AbCdEf", "t.me/joinchat/AbC", "https://example.com/gold", "@" + "g" * 33),
    ],
)
def test_what_names_no_chat_is_refused_in_a_sentence(given: str) -> None:
    with pytest.raises(NotAChat, match=r"\.$|\d\.$"):
        normalised(given)
