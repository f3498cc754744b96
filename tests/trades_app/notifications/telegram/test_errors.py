"""Errors that no server of ours can give are read as what follows from them too."""

from datetime import timedelta

import httpx
import pytest
from telegram import error

from trades_app.notifications.telegram.errors import is_not_modified, outcome_of
from trades_app.notifications.telegram.outcomes import (
    CardGone,
    ChatClosed,
    ContentRefused,
    Halted,
    NotAccepted,
    TelegramTrouble,
    Unconfirmed,
)


def caused(failure: error.TelegramError, cause: Exception) -> error.TelegramError:
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (caused(error.TimedOut(), httpx.PoolTimeout("")), NotAccepted),
        (caused(error.TimedOut(), httpx.ConnectTimeout("")), NotAccepted),
        (caused(error.NetworkError("x"), httpx.ConnectError("")), NotAccepted),
        (caused(error.TimedOut(), httpx.ReadTimeout("")), Unconfirmed),
        (caused(error.TimedOut(), httpx.WriteTimeout("")), Unconfirmed),
        (caused(error.NetworkError("x"), httpx.RemoteProtocolError("")), Unconfirmed),
        (caused(error.NetworkError("x"), httpx.ReadError("")), Unconfirmed),
        (error.TelegramError("Invalid server response"), Unconfirmed),
        (error.Conflict("terminated by other getUpdates request"), Unconfirmed),
        (error.BadRequest("Not enough rights to send text messages to the chat"), ChatClosed),
        (error.BadRequest("Message thread not found"), ChatClosed),
        (error.BadRequest("Group chat was deactivated"), ChatClosed),
        (error.BadRequest("TOPIC_CLOSED"), ChatClosed),
        (error.BadRequest("CHAT_SEND_PHOTOS_FORBIDDEN"), ChatClosed),
        (error.BadRequest("Message can't be edited"), CardGone),
        (error.BadRequest("BUTTON_COPY_TEXT_INVALID"), ContentRefused),
    ],
)
def test_what_follows_from_an_error(
    failure: error.TelegramError, outcome: type[TelegramTrouble]
) -> None:
    assert type(outcome_of(failure, token="123456:TOKEN")) is outcome


@pytest.mark.parametrize("pause", [7, timedelta(seconds=7)])
def test_a_pause_may_be_a_number_or_a_time_span(pause: int | timedelta) -> None:
    halted = outcome_of(error.RetryAfter(pause), token="")

    assert isinstance(halted, Halted)
    assert halted.seconds == 7


def test_the_token_is_in_no_sentence() -> None:
    refused = error.BadRequest("bot 123456:TOKEN may not")

    assert "TOKEN" not in str(outcome_of(refused, token="123456:TOKEN"))


def test_an_edit_that_changes_nothing_is_known() -> None:
    unchanged = error.BadRequest("Message is not modified: specified new message content ...")

    assert is_not_modified(unchanged)
    assert not is_not_modified(error.BadRequest("Message is too long"))
