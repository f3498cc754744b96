"""A stack in a process of its own, as a person at a terminal would start it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from goldtrader.stack import ports
from goldtrader.stack.processes import logs
from goldtrader.stack.servers import postgres
from tests.paths import ROOT

_OURS = (
    *("DATABASE_URL", "REDIS_URL", "DATA_DIR", "SECRET_KEY", "CONNECTOR_JWT_KEYS"),
    *("GATEWAY_HOST", "GATEWAY_PORT", "DJANGO_SETTINGS_MODULE"),
)


#: What a test wants a stack to find in its environment.
EXTRA: dict[str, str] = {}


def environment() -> dict[str, str]:
    """The environment without the test session's own servers, and with what a test adds."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return kept | EXTRA


@dataclass
class StackProcess:
    """A started `manage.py stack` and all that it has said."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int
    gateway_port: int
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str, seconds: float = 90.0) -> str:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.said()):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return self.said()

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(30)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def wait_until(is_so: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def run_stack(*arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run a stack that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "manage.py", "stack", "--data-dir", str(data_dir), *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[Callable[..., StackProcess]]:
    """Starts stacks on free ports; whatever is left of them at the end of the test is killed."""
    started: list[StackProcess] = []
    data_dirs: set[Path] = set()

    def start(*arguments: str, data_dir: Path) -> StackProcess:
        port, gateway_port = ports.choose_free(), ports.choose_free()
        output = tmp_path / f"output-{len(started)}"
        with output.open("wb") as written:
            begun = subprocess.Popen(
                [
                    *(sys.executable, "manage.py", "stack", "--data-dir", str(data_dir)),
                    *("--port", str(port), "--gateway-port", str(gateway_port)),
                    *arguments,
                ],
                cwd=ROOT,
                env=environment(),
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        stack = StackProcess(begun, data_dir, port, gateway_port, output)
        started.append(stack)
        data_dirs.add(data_dir)
        return stack

    yield start
    for stack in started:
        # Shown with a failure alone.
        sys.stdout.write(stack.said())
        for log in sorted((stack.data_dir / "logs").glob("*.log")):
            sys.stdout.write(f"--- {log.name}\n{logs.tail(log, lines=3)}\n")
        with contextlib.suppress(psutil.NoSuchProcess):
            left = stack.descendants() if stack.process.poll() is None else []
            stack.process.kill()
            for child in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        stack.process.wait()
    for data_dir in data_dirs:
        postgres.remove(data_dir)
