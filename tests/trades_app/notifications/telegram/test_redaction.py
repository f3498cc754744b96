"""No token stays in what is written."""

from trades_app.notifications.telegram.redaction import redacted

TOKEN = "123456789:AAE-abcdefghijklmnopqrstuvwxyz_0123456"


def test_whatever_looks_like_a_token_is_hidden() -> None:
    told = f"POST https://api.telegram.org/bot{TOKEN}/sendMessage failed"

    assert redacted(told) == "POST https://api.telegram.org/bot<bot token>/sendMessage failed"


def test_a_known_token_is_hidden_whatever_it_looks_like() -> None:
    assert redacted("the token 1:odd was rejected", "1:odd") == "the token <bot token> was rejected"


def test_times_and_addresses_stay() -> None:
    told = "2026-01-05T10:00:00 127.0.0.1:54321 signal:XAU_20260105_001"
    assert redacted(told) == told
