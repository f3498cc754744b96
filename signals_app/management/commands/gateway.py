"""`manage.py gateway`: the server that connectors send ticks to."""

import asyncio
import logging
import os
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from signals_app.gateway import server
from signals_app.gateway.database import DjangoDatabase
from signals_app.gateway.tokens import BadKeys, SigningKeys
from signals_app.networks import read_networks

log = logging.getLogger(__name__)

#: Seconds from SIGTERM to the end of the process, whatever its threads wait for.
_ENDS_WITHIN: Final = 7.0


class Command(BaseCommand):
    """Serves until SIGTERM or Ctrl-C, then stores and acknowledges what it has read."""

    help = "the WSS server that connectors send ticks to"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what differs between several gateways of one installation."""
        parser.add_argument("--host", default=settings.GATEWAY_HOST)
        parser.add_argument("--port", type=int, default=settings.GATEWAY_PORT)
        parser.add_argument(
            "--reuse-port",
            action="store_true",
            help="share the port with other gateways on this machine (SO_REUSEPORT)",
        )
        parser.add_argument(
            "--metrics-port", type=int, default=settings.METRICS_PORT, help="0 serves none"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Serve; exit code 2 and one sentence where that is not possible."""
        try:
            asyncio.run(
                server.run(
                    server.GatewayOptions(
                        redis_url=settings.REDIS_URL,
                        certificate=Path(settings.GATEWAY_TLS_CERT),
                        private_key=Path(settings.GATEWAY_TLS_KEY),
                        keys=SigningKeys.parse(settings.CONNECTOR_JWT_KEYS),
                        host=options["host"],
                        port=options["port"],
                        reuse_port=options["reuse_port"],
                        metrics_port=options["metrics_port"],
                        networks=read_networks(settings.GATEWAY_ALLOWED_IPS),
                    ),
                    DjangoDatabase(),
                    lambda port: self._say(
                        f"gateway listens on wss://{options['host']}:{port}{server.PATH}"
                    ),
                    _end_in_time,
                )
            )
        except (server.CannotServe, BadKeys) as error:
            raise CommandError(str(error), returncode=2) from None

    def _say(self, line: str) -> None:
        """Write a line that is read at once, also from a pipe."""
        self.stdout.write(line)
        self.stdout.flush()


def _end_in_time() -> None:
    """End the process soon, also where a thread waits for a store that does not answer.

    Nothing is lost by that: what was not acknowledged is sent again.
    """
    last_resort = threading.Timer(_ENDS_WITHIN, _end_now)
    last_resort.daemon = True
    last_resort.start()


def _end_now() -> None:
    log.warning("a store does not answer: the gateway ends without waiting for it")
    os._exit(0)
