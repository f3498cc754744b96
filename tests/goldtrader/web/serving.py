"""The web server as the stack starts it, in processes of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.paths import ROOT
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Web:
    """A running web server."""

    port: int
    master: psutil.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        """A connection to it, from this address of loopback."""
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=15, source_address=(address, 0)
        )

    def memory(self) -> int:
        """The bytes that its processes hold for themselves alone."""
        processes = [self.master, *self.master.children()]
        return sum(each.memory_full_info().uss for each in processes)


@contextmanager
def web_server(log: Path, **variables: str) -> Iterator[Web]:
    """Start the web server with these variables, wait until it answers, and end it."""
    port = free_port()
    with log.open("wb") as output:
        started = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config"),
                *("python:goldtrader.web.configuration", "--bind", f"127.0.0.1:{port}"),
            ],
            cwd=ROOT,
            env=os.environ | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        web = Web(port, psutil.Process(started.pid))
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{web.url}/api/v1/docs", timeout=20)
                break
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield web
    finally:
        started.terminate()
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
