"""One loop and one HTTP client a process, in which all calls of Telegram run, with a deadline."""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from trades_app.notifications.telegram.outcomes import Unconfirmed

if TYPE_CHECKING:
    from telegram import Bot

_T = TypeVar("_T")
#: As many calls as run side by side; each chat has one at a time.
_CONNECTIONS = 32
#: What logs the addresses of calls, in which the token stands, or answers of many pages.
_LOGS_WITH_ADDRESSES = ("httpx", "httpcore", "telegram")


class _Caller:
    """A thread with a loop; its clients are made in it and never leave it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._bots: dict[tuple[str, str], Bot] = {}
        threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True).start()

    def run(self, token: str, call: "Callable[[Bot], Awaitable[_T]]") -> _T:
        """The result of the call; raises what it raises, and `Unconfirmed` at the deadline."""
        return asyncio.run_coroutine_threadsafe(self._call(token, call), self._loop).result()

    async def _call(self, token: str, call: "Callable[[Bot], Awaitable[_T]]") -> _T:
        bot = await self._bot(token)
        # An answer that drips in byte by byte keeps every other limit.
        deadline = 2 * settings.TELEGRAM_TIMEOUT
        try:
            return await asyncio.wait_for(call(bot), deadline)
        except TimeoutError:
            raise Unconfirmed(f"No answer within {deadline:g} s") from None

    async def _bot(self, token: str) -> "Bot":
        # Only now: importing them takes a tenth of Django's start, which every command would pay.
        import httpx
        from telegram import Bot
        from telegram.request import HTTPXRequest

        for name in _LOGS_WITH_ADDRESSES:
            logging.getLogger(name).setLevel(logging.WARNING)
        base = settings.TELEGRAM_API_BASE_URL.rstrip("/")
        bot = self._bots.get((token, base))
        if bot is None:
            timeout = settings.TELEGRAM_TIMEOUT
            # What was idle for longer may have been closed at the other end.
            limits = httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=4)
            options: dict[str, Any] = {"limits": limits}
            request = HTTPXRequest(
                connect_timeout=min(5.0, timeout),
                read_timeout=timeout,
                write_timeout=timeout,
                media_write_timeout=timeout,
                pool_timeout=1.0,
                httpx_kwargs=options,
            )
            # `Bot.initialize` would call getMe, whatever pause Telegram asked for.
            await request.initialize()
            bot = Bot(
                token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot", request=request
            )
            self._bots[token, base] = bot
        return bot


_lock = threading.Lock()
_caller: _Caller | None = None


def run(token: str, call: "Callable[[Bot], Awaitable[_T]]") -> _T:
    """Run one call of Telegram in this process' loop and wait for it."""
    global _caller
    with _lock:
        # A fork has the parent's object, but not its thread.
        if _caller is None or _caller.pid != os.getpid():
            _caller = _Caller()
        caller = _caller
    return caller.run(token, call)
