"""Starts `wire_client.mjs`, the connector in Node, gives it ticks and waits for what it prints."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

Event = dict[str, Any]
Row = Sequence[float]

_PROGRAM = Path(__file__).with_suffix(".mjs")
#: The first version with a WebSocket of its own.
_NODE = 22


@cache
def _node() -> str | None:
    playwright = find_spec("playwright")
    driver = playwright and Path(playwright.origin).with_name("driver") / "node"
    for path in filter(None, (driver and shutil.which(driver), shutil.which("node"))):
        version = subprocess.run((path, "--version"), capture_output=True, text=True, check=True)
        if int(re.match(r"v(\d+)", version.stdout)[1]) >= _NODE:
            return path
    return None


class WireClient:
    """A connector in a process of its own; `config` is that of `wire_client.mjs`.

    Raises `TimeoutError` with what it printed last where something does not come.
    """

    def __init__(self, home: Path, certificate: Path, **config: object) -> None:
        node = _node()
        if node is None:
            pytest.skip(f"Node {_NODE} or later is neither in playwright nor on the path")
        self.events: list[Event] = []
        self._printed = threading.Condition()
        self._is_over = False
        written = home / f"{config['name']}.json"
        written.write_text(json.dumps(config))
        self._process = subprocess.Popen(
            (node, str(_PROGRAM), str(written)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(certificate)},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def give(self, **instruction: object) -> None:
        """Write one instruction to its input."""
        self._process.stdin.write(json.dumps(instruction) + "\n")
        self._process.stdin.flush()

    def give_ticks(self, symbol: str, rows: Sequence[Row], *, at_once: int = 1) -> None:
        """Give it ticks, ``at_once`` in an instruction."""
        lines = (
            json.dumps({"symbol": symbol, "rows": rows[place : place + at_once]}) + "\n"
            for place in range(0, len(rows), at_once)
        )
        self._process.stdin.writelines(lines)
        self._process.stdin.flush()

    def wait_for(
        self, wanted: Callable[[Event], object], *, after: int = 0, within: float = 30.0
    ) -> Event:
        """Return the first event that is wanted, of those behind the first ``after``."""
        with self._printed:
            self._printed.wait_for(
                lambda: any(map(wanted, self.events[after:])) or self._is_over, within
            )
            found = next(filter(wanted, self.events[after:]), None)
        if found is None:
            raise TimeoutError(f"after {self.events[-5:]}")
        return found

    def receives(self, *, after: int = 0, within: float = 30.0, **fields: object) -> Event:
        """Return the first message of the server with these fields."""
        found = self.wait_for(
            lambda event: fields.items() <= event.get("got", {}).items(), after=after, within=within
        )
        return found["got"]

    def messages(self, kind: str) -> list[Event]:
        """Every message of this type that came."""
        return [event["got"] for event in self.events if event.get("got", {}).get("type") == kind]

    def closes(self) -> list[int]:
        """The codes with which its connections were closed, as long as it did not leave."""
        return [event["closed"] for event in self.events if "closed" in event]

    def finish(self, within: float = 40.0) -> None:
        """End its input, and wait until it has left with everything acknowledged."""
        self._process.stdin.close()
        assert self._process.wait(within) == 0, self.events[-5:]
        self._reader.join()

    def stops(self, within: float = 30.0) -> str:
        """Wait until it gives up by itself; return why."""
        assert self._process.wait(within) == 1
        self._reader.join()
        return self.events[-1]["stopped"]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        for line in self._process.stdout:
            with self._printed:
                self.events.append(json.loads(line))
                self._printed.notify_all()
        with self._printed:
            self._is_over = True
            self._printed.notify_all()
