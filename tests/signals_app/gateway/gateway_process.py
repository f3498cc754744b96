"""A gateway as a process of its own, to be killed; its database is that of the tests.

python -m tests.signals_app.gateway.gateway_process HOME REDIS_URL PORT
"""

import asyncio
import logging
import sys
from pathlib import Path

import django

django.setup()

from signals_app.gateway import server  # noqa: E402 - Django is to be ready
from signals_app.gateway.database import DjangoDatabase  # noqa: E402
from signals_app.gateway.lease import LeaseTimeouts  # noqa: E402
from signals_app.gateway.limits import Limits  # noqa: E402
from tests.signals_app.gateway.conftest import KEYS  # noqa: E402


class QuietDatabase(DjangoDatabase):
    """Wakes nobody: the test reads the stream by itself."""

    def wake(self, symbol: str) -> None:
        pass


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    home, redis_url, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    options = server.GatewayOptions(
        redis_url=redis_url,
        certificate=home / "cert.pem",
        private_key=home / "key.pem",
        keys=KEYS,
        port=port,
        # Everything is given up sooner, so that a short test reaches it.
        limits=Limits(heartbeat_interval_ms=1000, silence_ms=3000),
        lease_timeouts=LeaseTimeouts(failover_after_ms=3000, disconnect_grace_ms=1000),
        watch_interval=0.25,
        presence_interval=1.0,
    )
    asyncio.run(server.run(options, QuietDatabase(), lambda _: None, lambda: None))
