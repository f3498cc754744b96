"""Sends one text by the Telegram bot, and says what a refusal means for the next attempt."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings


class TryLater(Exception):  # noqa: N818 - it says what to do
    """Telegram did not accept the message now.

    `seconds` is the pause that it asked for, `None` where it named none.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Refused(Exception):  # noqa: N818 - it says what happened
    """Telegram will never accept this message: the token, the channel or the text is wrong."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that Telegram accepted."""

    message_id: int


def is_configured() -> bool:
    """Whether there is a bot to send with."""
    return bool(settings.TELEGRAM_BOT_TOKEN)


def send(channel: str, text: str, *, reply_to: int | None = None) -> Delivered:
    """Send one text to a channel, below the message ``reply_to`` where that still exists.

    Raises `TryLater` or `Refused`.
    """
    return asyncio.run(_send(channel, text, reply_to))


async def _send(channel: str, text: str, reply_to: int | None) -> Delivered:
    # Only now: importing them takes a tenth of Django's start, which every command would pay.
    from telegram import Bot, LinkPreviewOptions
    from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError
    from telegram.request import HTTPXRequest

    base = settings.TELEGRAM_API_BASE_URL.rstrip("/")
    bot = Bot(
        settings.TELEGRAM_BOT_TOKEN,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=HTTPXRequest(connect_timeout=5, read_timeout=15, write_timeout=15),
    )
    try:
        async with bot:
            sent = await bot.send_message(
                channel,
                text,
                reply_to_message_id=reply_to,
                allow_sending_without_reply=True if reply_to is not None else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
    except RetryAfter as limit:
        raise TryLater("Telegram asked for a pause", _seconds(limit.retry_after)) from limit
    except (BadRequest, Forbidden, InvalidToken) as refusal:
        raise Refused(str(refusal)) from refusal
    except TelegramError as failure:
        raise TryLater(str(failure) or type(failure).__name__) from failure
    return Delivered(sent.message_id)


def _seconds(pause: timedelta | int) -> float:
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
