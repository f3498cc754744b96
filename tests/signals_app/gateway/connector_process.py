"""A connector as a process of its own, to be killed; it is on a market that goes on.

python -m tests.signals_app.gateway.connector_process HOME NAME URL TOKEN
"""

import asyncio
import logging
import sys
from pathlib import Path

from mt5_bridge.connector.client import Client, Settings
from mt5_bridge.connector.credentials import GivenToken
from mt5_bridge.connector.spool import Spool
from tests.signals_app.gateway.conftest import client_tls
from tests.signals_app.gateway.market import LiveSource, Market


async def main(home: Path, name: str, url: str, given: str) -> None:
    settings = Settings(url=url, name=name, trust=client_tls(home / "cert.pem"), first_pause=0.2)
    source = LiveSource(Market.read(home / "market.npz"))
    await Client(settings, source, Spool(home / f"spool-{name}"), GivenToken(given)).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]))
