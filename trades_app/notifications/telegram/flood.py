"""The flood law: when Telegram may be called, kept in the database for all processes.

A chat takes one call a second and twenty a minute, the bot thirty a second; a pause that Telegram
asks for holds up every call of that chat. Sends, edits and checks draw on the same windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from trades_app.models import CallWindow

#: The window of all calls of the bot.
BOT = "bot"
_MINUTE = 60.0
#: A call reaches Telegram some time after it was let go: windows are longer by this.
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Rates:
    """What is kept to: seconds between two calls of a chat, calls a minute and chat, a second."""

    chat_seconds: float
    chat_per_minute: int
    bot_per_second: int


def rates() -> Rates:
    """The rates as they are set."""
    return Rates(
        settings.TELEGRAM_CHAT_SECONDS,
        settings.TELEGRAM_CHAT_PER_MINUTE,
        settings.TELEGRAM_BOT_PER_SECOND,
    )


def acquire(chat: str) -> float:
    """Take a place for one call of a chat; the seconds to wait where there is none yet, else 0."""
    limits = rates()
    _make_rows(chat)
    with transaction.atomic():
        rows = CallWindow.objects.select_for_update().filter(key__in=(BOT, chat)).order_by("key")
        windows = {row.key: row for row in rows}
        now = _now()
        bot, own = windows[BOT], windows[chat]
        free_at = max(
            own.halted_until,
            bot.halted_until,
            _free_at(own.calls, limits.chat_per_minute, _MINUTE),
            _free_at(own.calls, 1, limits.chat_seconds),
            _free_at(bot.calls, limits.bot_per_second, 1.0),
        )
        if free_at > now:
            return free_at - now
        own.calls = [*own.calls, now][-limits.chat_per_minute :]
        bot.calls = [*bot.calls, now][-limits.bot_per_second :]
        own.save(update_fields=["calls"])
        bot.save(update_fields=["calls"])
    return 0.0


def finish(chat: str) -> None:
    """Count a chat's last call from its end on: the next one is then behind it for Telegram too."""
    with transaction.atomic():
        row = CallWindow.objects.select_for_update().filter(key=chat).first()
        if row is not None and row.calls:
            row.calls = [*row.calls[:-1], max(row.calls[-1], _now())]
            row.save(update_fields=["calls"])


def spend(chat: str) -> None:
    """Count a call that a chat has had under another name."""
    _make_rows(chat)
    with transaction.atomic():
        row = CallWindow.objects.select_for_update().get(key=chat)
        row.calls = [*row.calls, _now()][-rates().chat_per_minute :]
        row.save(update_fields=["calls"])


def halt(chat: str, seconds: float) -> None:
    """Hold up all calls of a chat, or of `BOT`, for so long; a longer pause stays."""
    _make_rows(chat)
    with transaction.atomic():
        row = CallWindow.objects.select_for_update().get(key=chat)
        row.halted_until = max(row.halted_until, _now() + seconds + _MARGIN)
        row.save(update_fields=["halted_until"])


def _free_at(calls: Sequence[float], number: int, seconds: float) -> float:
    """When a window of so many calls has room for another one."""
    return calls[-number] + seconds + min(_MARGIN, seconds) if len(calls) >= number else 0.0


def _make_rows(chat: str) -> None:
    if CallWindow.objects.filter(key__in=(BOT, chat)).count() < len({BOT, chat}):
        CallWindow.objects.bulk_create(
            [CallWindow(key=BOT), CallWindow(key=chat)], ignore_conflicts=True
        )


def _now() -> float:
    # Every process by the same clock, and by what it shows now, not when the transaction began.
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
