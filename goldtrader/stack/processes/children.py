"""The environment of the stack's children, and the connector's command line."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.feed import Feed
from goldtrader.stack.keys import Keys
from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.processes.process import Program

ROOT = Path(__file__).resolve().parents[3]
#: The stack's own connector, for which the API key of this installation is made.
CONNECTOR_NAME = "embedded"
#: The connector could not go on, for a reason that a restart does not change.
CONNECTOR_REFUSES = 2
#: Exit codes after which the connector is not started again; 0 is the end of its file.
CONNECTOR_FINAL_EXITS = frozenset({0, CONNECTOR_REFUSES})


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the stack's servers listen, all on loopback but the gateway, which has a host."""

    web: int
    gateway: int
    flower: int
    gateway_host: str = LOOPBACK


def environment(
    data_dir: DataDir, keys: Keys, ports: Ports, *, database_url: str, redis_url: str
) -> dict[str, str]:
    """The environment of every child; secrets that the user's own names are kept."""
    chosen = {
        "DATA_DIR": str(data_dir.path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "GATEWAY_HOST": ports.gateway_host,
        "GATEWAY_PORT": str(ports.gateway),
        "DJANGO_SETTINGS_MODULE": "goldtrader.settings",
        "PYTHONUNBUFFERED": "1",
    }
    generated = {
        "SECRET_KEY": keys.secret_key,
        "CONNECTOR_JWT_KEYS": keys.connector_jwt_keys,
        "FIELD_ENCRYPTION_KEYS": keys.field_encryption_keys,
        "GATEWAY_TLS_CERT": str(data_dir.certificate),
        "GATEWAY_TLS_KEY": str(data_dir.private_key),
        # The web server's /metrics adds up what all processes count.
        "PROMETHEUS_MULTIPROC_DIR": str(data_dir.metrics),
        # Each process computes on one core; the processes are what runs side by side. And the
        # stack must have one thread only when it forks.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return {**generated, **os.environ, **chosen}


def connector(
    ports: Ports,
    data_dir: DataDir,
    feed: Feed,
    *,
    certificate: str,
    api_key: str,
    exit_when_done: bool,
) -> Program:
    """The connector on ``feed``, which trusts the gateway's ``certificate`` and no other."""
    options = [
        *("--source", feed.source),
        *("--name", CONNECTOR_NAME),
        *("--url", f"wss://{LOOPBACK}:{ports.gateway}/ws/v1/ticks"),
        *("--token-url", f"http://{LOOPBACK}:{ports.web}/api/v1/connectors/token"),
        *("--cafile", certificate),
        *("--spool", str(data_dir.connector)),
        *("--symbol", feed.symbol),
        *("--speed", feed.speed),
    ]
    if feed.path is not None:
        options += ["--file", str(feed.path), "--source-timezone", feed.source_timezone]
    if feed.digits is not None:
        options += ["--digits", str(feed.digits), "--default-spread", str(feed.default_spread)]
    if exit_when_done:
        options.append("--exit-when-done")
    return Program(
        "connector",
        (sys.executable, "-m", "mt5_bridge", *options),
        # The key goes by the environment: everybody on the machine can read command lines.
        environment={
            **{name: value for name, value in os.environ.items() if name.startswith("MT5_BRIDGE_")},
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MT5_BRIDGE_API_KEY": api_key,
        },
        directory=ROOT,
    )
