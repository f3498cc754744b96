"""Reads python-telegram-bot's errors: which of the outcomes each of them is.

Telegram's descriptions are no documented interface, so what is not known here is taken for a
refusal of the content alone: it parks no chat.
"""

from datetime import timedelta

import httpx
from telegram import error

from trades_app.notifications.telegram.outcomes import (
    BotTokenRefused,
    CardGone,
    ChatClosed,
    ChatMigrated,
    ContentRefused,
    Halted,
    MethodUnknown,
    NotAccepted,
    TelegramTrouble,
    Unconfirmed,
)
from trades_app.notifications.telegram.redaction import redacted

#: httpx' errors before the first byte of a request was written.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_OF_THE_CHAT = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "administrator rights in the channel",
    "chat_write_forbidden",
    "chat_admin_required",
    "chat_restricted",
    "chat_send_",
    "channel_private",
    "peer_id_invalid",
    "bot is not a member",
    "member list is inaccessible",
    "user_is_deactivated",
    "user is deactivated",
    "group chat was d",
    "chat is deactivated",
    "topic_closed",
    "topic_deleted",
    "topic_id_invalid",
    "message thread not found",
)
_OF_THE_CARD = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message not found",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)
_NOT_MODIFIED = "message is not modified"


def is_not_modified(failure: error.TelegramError) -> bool:
    """Whether an edit was refused because it changes nothing: what was wanted is there."""
    return isinstance(failure, error.BadRequest) and _NOT_MODIFIED in str(failure).lower()


def outcome_of(failure: error.TelegramError, *, token: str) -> TelegramTrouble:
    """What a failed call means; its sentence never holds the token."""
    said = redacted(str(failure) or type(failure).__name__, token)
    match failure:
        case error.RetryAfter():
            return Halted(_seconds(failure.retry_after))
        case error.ChatMigrated():
            return ChatMigrated(failure.new_chat_id)
        case error.InvalidToken():
            kind = MethodUnknown if "not found" in said.lower() else BotTokenRefused
            return kind("Telegram does not accept the bot's token: revoked, or mistyped")
        case error.Forbidden():
            return ChatClosed(said)
        case error.BadRequest():
            return _refusal(said)
        case error.TimedOut() | error.NetworkError():
            return _of_network(failure, said)
    # The answer of an accepted call that cannot be read, for one.
    return Unconfirmed(said)


def _refusal(said: str) -> TelegramTrouble:
    lower = said.lower()
    if any(words in lower for words in _OF_THE_CARD):
        return CardGone(said)
    if any(words in lower for words in _OF_THE_CHAT):
        return ChatClosed(said)
    return ContentRefused(said)


def _of_network(failure: error.TelegramError, said: str) -> TelegramTrouble:
    cause = failure.__cause__
    if isinstance(cause, _NOT_SENT):
        return NotAccepted(said)
    if cause is not None:
        return Unconfirmed(said)
    # An answer with a status: Telegram, or a server before it, says that it failed.
    if "(413)" in said or "entity too large" in said.lower():
        return ContentRefused(said)
    if "(504)" in said or "gateway time" in said.lower():
        return Unconfirmed(said)
    return NotAccepted(said)


def _seconds(pause: timedelta | int) -> float:
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
