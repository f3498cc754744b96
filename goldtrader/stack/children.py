"""The processes of the stack, by command line and environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.feed import Feed
from goldtrader.stack.keys import Keys
from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.process import Program

ROOT = Path(__file__).resolve().parents[2]


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
    """Return what every child is told; what the user's environment says of secrets is kept."""
    told = {
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
        # Each process computes on one core; the processes are what runs side by side.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return {**generated, **os.environ, **told}


def servers(told: Mapping[str, str], ports: Ports, *, workers: int) -> tuple[Program, ...]:
    """Return gateway, web, workers, beat and Flower; the one that is slowest to be ready first."""
    celery = ("-m", "celery", "--app", "goldtrader")
    # Workers that look for each other first would cost a second each.
    worker = (*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    return (
        _python(
            "web",
            told,
            *("-m", "gunicorn", "goldtrader.wsgi:application", "--preload"),
            *("--bind", f"{LOOPBACK}:{ports.web}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
            *("--graceful-timeout", "3", "--timeout", "60"),
        ),
        _python("gateway", told, "manage.py", "gateway"),
        _python(
            "worker-pipeline",
            told,
            *worker,
            *("--hostname", "pipeline@%h", "--queues", "ticks,analysis,trades"),
            *("--pool", "prefork", "--concurrency", str(workers)),
        ),
        _python(
            "worker-delivery",
            told,
            *worker,
            *("--hostname", "delivery@%h", "--queues", "delivery"),
            *("--pool", "threads", "--concurrency", "2"),
        ),
        _python(
            "beat",
            told,
            *(*celery, "beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
        ),
        _python(
            "flower",
            told,
            *(*celery, "flower", f"--address={LOOPBACK}", f"--port={ports.flower}"),
        ),
    )


def connector(
    told: Mapping[str, str],
    ports: Ports,
    data_dir: DataDir,
    feed: Feed,
    *,
    api_key: str,
    exit_when_done: bool,
) -> Program:
    """Return the connector on ``feed``, which trusts the gateway's own certificate and no other."""
    options = [
        *("--source", feed.source),
        *("--url", f"wss://{LOOPBACK}:{ports.gateway}/ws/v1/ticks"),
        *("--token-url", f"http://{LOOPBACK}:{ports.web}/api/v1/connectors/token"),
        *("--cafile", told["GATEWAY_TLS_CERT"]),
        *("--spool", str(data_dir.connector)),
        *("--symbol", feed.symbol),
        *("--speed", feed.speed),
    ]
    if feed.path is not None:
        options += ["--file", str(feed.path), "--source-timezone", feed.source_timezone]
    if exit_when_done:
        options.append("--exit-when-done")
    # The key goes by the environment: command lines are readable for everybody on the machine.
    return _python(
        "connector", {**told, "MT5_BRIDGE_API_KEY": api_key}, "-m", "mt5_bridge", *options
    )


def prepare(told: Mapping[str, str], history: tuple[tuple[Path, str, str], ...]) -> Program:
    """Return the process that migrates, imports ``history`` and makes the first login."""
    options = [
        part
        for path, symbol, timeframe in history
        for part in ("--history", str(path), "--symbol", symbol, "--timeframe", timeframe)
    ]
    return _python("prepare", told, "-m", "goldtrader.stack.prepare", *options)


def wait_until_drained(told: Mapping[str, str]) -> Program:
    """Return the process that ends when nothing is left to do."""
    return _python("drain", told, "-m", "goldtrader.stack.wait_until_drained")


def _python(name: str, told: Mapping[str, str], *arguments: str) -> Program:
    return Program(name, (sys.executable, *arguments), environment=told, directory=ROOT)
