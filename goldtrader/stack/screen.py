"""What the person at the terminal sees of the stack."""

import contextlib
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.feed import Feed
from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.processes.children import Ports
from signals_app.management.hints import manage_py


@dataclass(frozen=True, slots=True)
class RunningStack:
    """What the table of a running stack shows; `password` is empty after the first time."""

    data_dir: DataDir
    ports: Ports
    feed: Feed | None
    processes: tuple[tuple[str, int], ...]
    database: str
    redis: str
    password: str
    ready_after_seconds: float


class Screen:
    """Lines of progress, one table, and a line for each event after it."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago the start was begun."""
        return time.monotonic() - self._begun

    def step(self, done: str) -> None:
        """Print a step of the start or the end, with the seconds since the start."""
        self._print(Text(f"{self.seconds:5.1f} s  {done}", style="dim"))

    def note(self, event: str) -> None:
        """Print an event of the running stack, with the time of day."""
        self._print(Text(f"{time.strftime('%H:%M:%S')}  {event}", style="yellow"))

    def refuse(self, sentence: str) -> None:
        """Print to stderr why the stack does not start or has ended."""
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(sentence, style="red"))

    def show(self, stack: RunningStack) -> None:
        """Print the table of what listens where."""
        table = Table(
            title=f"GoldTrader is up after {stack.ready_after_seconds:.1f} s",
            title_style="bold",
            title_justify="left",
            show_header=False,
        )
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value, style in _rows(stack):
            table.add_row(name, Text(value, style=style))
        self._print(table, soft_wrap=False)
        if not stack.password:
            # Beneath the table, which breaks long lines: whoever copies it copies all of it.
            line = manage_py("changepassword", "admin", data_dir=stack.data_dir.path)
            self._print(Text(f"A new password for admin: {line}"))
        self._print(Text("Ctrl-C ends all of it."))

    def _print(self, shown: Text | Table, *, soft_wrap: bool = True) -> None:
        # Printed to a file on a full disk, or to a pipe that nobody reads any more.
        with contextlib.suppress(OSError):
            self._console.print(shown, soft_wrap=soft_wrap)


def _rows(stack: RunningStack) -> list[tuple[str, str, str]]:
    web = f"http://{LOOPBACK}:{stack.ports.web}"
    if stack.feed is None:
        feed = ("none: connect a connector to the gateway", "")
    else:
        feed = (stack.feed.describe(), "bold yellow" if stack.feed.is_simulated else "")
    login = f"admin / {stack.password}" if stack.password else _KNOWN_LOGIN
    rows = [
        ("Dashboard", f"{web}/", ""),
        ("Admin", f"{web}/admin/", ""),
        ("Login", login, "bold green" if stack.password else ""),
        ("API", f"{web}/api/v1/docs", ""),
        ("Tasks (Flower)", f"http://{LOOPBACK}:{stack.ports.flower}", ""),
        ("", f"login flower, with the flower_password in {stack.data_dir.keys}", ""),
        (
            "Gateway",
            f"wss://{stack.ports.gateway_host}:{stack.ports.gateway}/ws/v1/ticks",
            "",
        ),
        ("", f"its certificate is {stack.data_dir.certificate}", ""),
        ("Feed", *feed),
    ]
    if stack.feed is not None and stack.feed.assumed:
        rows.append(("", stack.feed.assumed, ""))
    names = ", ".join(f"{name} {pid}" for name, pid in stack.processes)
    return [
        *rows,
        ("Running", names, ""),
        ("Database", stack.database, ""),
        ("Redis", stack.redis, ""),
        ("Data", str(stack.data_dir.path), ""),
        ("Logs", str(stack.data_dir.logs), ""),
    ]


_KNOWN_LOGIN = "admin, with the password shown at the first start"
