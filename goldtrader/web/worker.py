"""A process of gunicorn that serves by waitress."""

import os
from time import monotonic
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from goldtrader.web import server
from goldtrader.web.channel import Deadlines

_POLL_SECONDS = 1.0


class BufferingWorker(Worker):  # type: ignore[misc]
    """Gives a thread only requests that have arrived whole."""

    def run(self) -> None:
        """Serve until gunicorn says that it is enough, or is gone."""
        sockets: dict[int, Any] = {}
        limits = limits_of_settings()
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        adj = server.adjustments(threads=self.cfg.threads, limits=limits)
        servers = [
            server.make(self.wsgi, listener.sock, sockets, dispatcher, adj, limits)
            for listener in self.sockets
        ]
        wakeup = _Wakeup(self.PIPE[0], sockets)
        while self.alive and self.ppid == os.getppid():
            self._turn(sockets)
        for each in servers:
            each.accepting = False
            each.del_channel()
        self._finish(sockets, servers)
        wakeup.close()
        dispatcher.shutdown(timeout=0)

    def _turn(self, sockets: dict[int, Any]) -> None:
        wasyncore.poll2(_POLL_SECONDS, sockets)
        self.notify()

    def _finish(self, sockets: dict[int, Any], servers: "list[server.Server]") -> None:
        """Answer what was asked already, for as long as gunicorn leaves us."""
        ends = monotonic() + self.cfg.graceful_timeout
        # What has arrived already was asked already.
        wasyncore.poll2(0.0, sockets)
        while monotonic() < ends:
            channels = [each for one in servers for each in one.active_channels.values()]
            for channel in channels:
                if not channel.is_busy:
                    channel.cut()
            if not channels:
                return
            wasyncore.poll2(0.1, sockets)


class _Wakeup(wasyncore.file_dispatcher):  # type: ignore[misc]
    """The pipe into which Python writes signals, so that the loop hears of them at once."""

    def writable(self) -> bool:
        """Never: it is only read."""
        return False

    def handle_read(self) -> None:
        """Forget what was written; the signal's own handler has run."""
        self.recv(4096)


def limits_of_settings() -> server.ConnectionLimits:
    """The limits that the environment sets.

    Behind proxies all connections come from them, and limits by address are theirs to keep.
    """
    by_address = None if settings.TRUSTED_PROXIES else settings.WEB_CONNECTIONS_PER_ADDRESS
    return server.ConnectionLimits(
        connections=settings.WEB_CONNECTIONS,
        connections_by_address=by_address,
        body_bytes=settings.REQUEST_BODY_LIMIT,
        deadlines=Deadlines(
            headers=settings.WEB_HEADER_SECONDS,
            body=settings.WEB_BODY_SECONDS,
            idle=settings.WEB_IDLE_SECONDS,
        ),
    )
