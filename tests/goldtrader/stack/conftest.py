"""Starts stacks for tests, and kills what is left of them afterwards."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from goldtrader.stack.processes import logs
from goldtrader.stack.servers import postgres
from tests.goldtrader.stack.commands import StackProcess, environment
from tests.paths import ROOT
from tests.ports import free_port


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[Callable[..., StackProcess]]:
    """Starts stacks on free ports; whatever is left of them at the end of the test is killed."""
    started: list[StackProcess] = []
    data_dirs: set[Path] = set()

    def start(
        *arguments: str, data_dir: Path, in_place_of: StackProcess | None = None
    ) -> StackProcess:
        port, gateway_port = free_port(), free_port()
        if in_place_of is not None:
            port, gateway_port = in_place_of.port, in_place_of.gateway_port
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
