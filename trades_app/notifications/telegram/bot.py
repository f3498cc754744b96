"""Sends, edits and checks by the Telegram bot; what comes of it is one of `outcomes`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import Counter

from trades_app.notifications.rendered import Rendered
from trades_app.notifications.telegram import calls, token
from trades_app.notifications.telegram.outcomes import (
    Accepted,
    BotTokenRefused,
    ChatClosed,
    ChatFound,
    TelegramTrouble,
    Unconfirmed,
)

if TYPE_CHECKING:
    from telegram import Bot, ChatMember, InlineKeyboardMarkup

_T = TypeVar("_T")

telegram_calls = Counter(
    "telegram_calls_total",
    "Calls of Telegram by method and what came of them",
    ("method", "outcome"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: the chat, and the topic of it where it is a forum."""

    chat: str
    topic_id: int | None = None


def is_configured() -> bool:
    """Whether there is a bot to send with."""
    try:
        return bool(token.current())
    except token.KeyRingError:
        return False


def prepare() -> None:
    """Make this process' client now, which takes a second the first time.

    A message that is claimed is then in doubt for the time of its call alone, should the process
    be killed.
    """

    async def call(_: "Bot") -> None:
        import trades_app.notifications.telegram.errors  # noqa: F401

    calls.run(token.current(), call)


def send(
    to: Address, content: Rendered, *, reply_to: int | None = None, is_silent: bool = False
) -> Accepted:
    """Send one message, below the message ``reply_to`` where that still exists.

    Raises `TelegramTrouble`.
    """

    async def call(bot: "Bot") -> Accepted:
        from telegram import LinkPreviewOptions

        common: dict[str, Any] = {
            "parse_mode": "HTML" if content.is_html else None,
            "message_thread_id": to.topic_id,
            "reply_to_message_id": reply_to,
            "allow_sending_without_reply": True if reply_to is not None else None,
            "disable_notification": True if is_silent else None,
            "reply_markup": _buttons(content),
        }
        if content.picture is not None:
            sent = await bot.send_photo(to.chat, content.picture, caption=content.text, **common)
        else:
            preview = LinkPreviewOptions(is_disabled=True)
            sent = await bot.send_message(
                to.chat, content.text, link_preview_options=preview, **common
            )
        return Accepted(sent.message_id, has_picture=content.picture is not None)

    return _call("sendPhoto" if content.picture is not None else "sendMessage", call)


def edit(to: Address, message_id: int, content: Rendered, *, has_picture: bool) -> None:
    """Let a message show this content: text, or caption and, where one is given, picture.

    Content that it shows already is no error. Raises `TelegramTrouble`.
    """

    async def call(bot: "Bot") -> None:
        from telegram import InputMediaPhoto, LinkPreviewOptions

        common: dict[str, Any] = {
            "chat_id": to.chat,
            "message_id": message_id,
            "reply_markup": _buttons(content),
        }
        mode = "HTML" if content.is_html else None
        if not has_picture:
            preview = LinkPreviewOptions(is_disabled=True)
            await bot.edit_message_text(
                content.text, parse_mode=mode, link_preview_options=preview, **common
            )
        elif content.picture is None:
            await bot.edit_message_caption(caption=content.text, parse_mode=mode, **common)
        else:
            media = InputMediaPhoto(content.picture, caption=content.text, parse_mode=mode)
            await bot.edit_message_media(media, **common)

    _call("editMessage", call)


def find_chat(chat: str) -> ChatFound:
    """The chat, as Telegram knows it. Raises `TelegramTrouble`."""

    async def call(bot: "Bot") -> ChatFound:
        found = await bot.get_chat(chat)
        return ChatFound(found.id, found.effective_name or "", found.type == "private")

    return _call("getChat", call)


def check_rights(chat: str) -> None:
    """Make sure that the bot may write to a chat; raises `ChatClosed` or another trouble."""

    async def call(bot: "Bot") -> None:
        # The first part of a token is the bot's own id, so that nobody has to ask for it.
        member = await bot.get_chat_member(chat, int(bot.token.partition(":")[0]))
        problem = _lacking(member)
        if problem:
            raise ChatClosed(problem)

    _call("getChatMember", call)


def _lacking(member: "ChatMember") -> str:
    """The right that the bot does not have in a chat; empty where it may write."""
    if member.status in ("left", "kicked"):
        return "The bot is no member of the chat: add it, in a channel as an administrator"
    # Only of channels: elsewhere Telegram leaves it out.
    if member.status == "administrator" and getattr(member, "can_post_messages", None) is False:
        return "The bot may not post in the channel: give it the right to post messages"
    if member.status == "restricted" and not getattr(member, "can_send_messages", True):
        return "The bot may not write in the group: lift its restriction"
    return ""


def _buttons(content: Rendered) -> "InlineKeyboardMarkup | None":
    if not content.copy_text:
        return None
    from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

    button = InlineKeyboardButton("📋 Copy order", copy_text=CopyTextButton(content.copy_text))
    return InlineKeyboardMarkup.from_button(button)


def _call(method: str, call: "Callable[[Bot], Awaitable[_T]]") -> _T:
    try:
        secret = token.current()
    except token.KeyRingError as error:
        raise BotTokenRefused(str(error)) from None
    try:
        result: _T = calls.run(secret, _translated(secret, call))
    except TelegramTrouble as trouble:
        telegram_calls.labels(method, type(trouble).__name__).inc()
        raise
    telegram_calls.labels(method, "accepted").inc()
    return result


def _translated(
    secret: str, call: "Callable[[Bot], Awaitable[_T]]"
) -> "Callable[[Bot], Awaitable[Any]]":
    """The call with python-telegram-bot's errors as outcomes.

    The errors themselves are cut off: they may hold the token, which a traceback would print.
    """

    async def translated(bot: "Bot") -> Any:
        from telegram.error import TelegramError

        from trades_app.notifications.telegram.errors import is_not_modified, outcome_of

        try:
            return await call(bot)
        except TelegramError as failure:
            if is_not_modified(failure):
                return None
            raise outcome_of(failure, token=secret) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            # Accepted with status 200; what it says is not what a Bot API server says.
            raise Unconfirmed("Telegram's answer cannot be read") from None

    return translated
