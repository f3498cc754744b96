"""`manage.py gateway` as a process: how it starts, refuses and ends."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from websockets.sync.client import connect

from signals_app.gateway import tokens
from signals_app.gateway.tokens import SigningKeys
from tests.certificates import make_certificate
from tests.paths import ROOT


def start(home: Path, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "GATEWAY_TLS_CERT": str(home / "cert.pem"),
        "GATEWAY_TLS_KEY": str(home / "key.pem"),
        **settings,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "gateway", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(home: Path, *arguments: str, **named: str) -> str:
    """What the command refuses with, run in this process; one test looks at a whole process."""
    paths = {"GATEWAY_TLS_CERT": str(home / "cert.pem"), "GATEWAY_TLS_KEY": str(home / "key.pem")}
    with override_settings(**paths, **named), pytest.raises(CommandError) as refused:
        call_command("gateway", *arguments)
    assert refused.value.returncode == 2
    return str(refused.value)


def test_it_serves_until_it_is_asked_to_end(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    process = start(tmp_path, "--port", "0")
    assert process.stdout is not None
    assert "wss://127.0.0.1:" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_it_ends_in_time_while_neither_redis_nor_the_database_answers(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    keys = SigningKeys({"new": "n" * 40})
    token = tokens.issue(keys, "mt5-primary", ["XAUUSD"], now=int(time.time()))
    with silent_server() as redis_port, silent_server() as database_port:
        process = start(
            tmp_path,
            "--port",
            "0",
            CONNECTOR_JWT_KEYS="new:" + "n" * 40,
            REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
            DATABASE_URL=f"postgres://nobody:nothing@127.0.0.1:{database_port}/none",
        )
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        with connect(url, ssl=trusted, server_hostname="localhost") as connector:
            connector.send(json.dumps({"type": "auth", "token": token, "symbols": ["XAUUSD"]}))
            time.sleep(1)
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            took = time.monotonic() - asked
    assert took < 8
    assert process.returncode == 0


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes connections and never answers; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    process = start(tmp_path, "--port", "0")
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 2
    assert str(tmp_path / "cert.pem") in complaint
    assert "Traceback" not in complaint


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("this is no certificate")
    (tmp_path / "key.pem").write_text("this is no key")
    assert "not a certificate and its key" in refusal(tmp_path, "--port", "0")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        complaint = refusal(tmp_path, "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in complaint


@pytest.mark.parametrize("keys", ["", "short:x"])
def test_unusable_keys_are_named(tmp_path: Path, keys: str) -> None:
    make_certificate(tmp_path)
    complaint = refusal(tmp_path, "--port", "0", CONNECTOR_JWT_KEYS=keys)
    assert "CONNECTOR_JWT_KEYS" in complaint
