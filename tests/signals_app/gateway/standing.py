"""A gateway as a process of its own, to be killed; its ledger is a file that a test writes.

python -m tests.signals_app.gateway.standing HOME REDIS_URL PORT
"""

import asyncio
import json
import sys
from pathlib import Path

from signals_app.gateway import server
from signals_app.gateway.intake import Mark
from tests.signals_app.gateway.conftest import KEYS, MemoryLedger


class FileLedger(MemoryLedger):
    """Reads each symbol's mark from `HOME/SYMBOL.json`."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home

    def resume_mark(self, symbol: str) -> Mark | None:
        try:
            return Mark(**json.loads((self.home / f"{symbol}.json").read_text()))
        except FileNotFoundError:
            return None


if __name__ == "__main__":
    home, redis_url, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    options = server.GatewayOptions(
        redis_url=redis_url,
        certificate=home / "cert.pem",
        private_key=home / "key.pem",
        keys=KEYS,
        port=port,
    )
    asyncio.run(server.run(options, FileLedger(home), lambda _: None))
