"""What the person at the terminal sees of the stack."""

import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.feed import Feed
from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.processes.children import Ports


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the table of a running stack tells; `password` is empty after the first time."""

    data_dir: DataDir
    ports: Ports
    feed: Feed | None
    running: tuple[tuple[str, int], ...]
    database: str
    store: str
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
        """Say that a step of the start or the end is done, and when."""
        self._console.print(Text(f"{self.seconds:5.1f} s  {done}", style="dim"))

    def note(self, event: str) -> None:
        """Say that something happened while the stack is up."""
        self._console.print(Text(f"{time.strftime('%H:%M:%S')}  {event}", style="yellow"))

    def refuse(self, sentence: str) -> None:
        """Say why the stack does not start or has ended."""
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(sentence, style="red"))

    def show(self, standing: Standing) -> None:
        """Show where everything is."""
        table = Table(
            title=f"GoldTrader is up after {standing.ready_after_seconds:.1f} s",
            title_style="bold",
            title_justify="left",
            show_header=False,
        )
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value, style in _rows(standing):
            table.add_row(name, Text(value, style=style))
        self._console.print(table, soft_wrap=False)
        self._console.print(Text("Ctrl-C ends all of it."))


def _rows(standing: Standing) -> list[tuple[str, str, str]]:
    web = f"http://{LOOPBACK}:{standing.ports.web}"
    if standing.feed is None:
        feed = ("none: connect a connector to the gateway", "")
    else:
        feed = (standing.feed.describe(), "bold yellow" if standing.feed.is_simulated else "")
    login = f"admin / {standing.password}" if standing.password else _KNOWN_LOGIN
    rows = [
        ("Dashboard", f"{web}/", ""),
        ("Admin", f"{web}/admin/", ""),
        ("Login", login, "bold green" if standing.password else ""),
        ("API", f"{web}/api/v1/docs", ""),
        ("Tasks (Flower)", f"http://{LOOPBACK}:{standing.ports.flower}", ""),
        (
            "Gateway",
            f"wss://{standing.ports.gateway_host}:{standing.ports.gateway}/ws/v1/ticks",
            "",
        ),
        ("", f"its certificate is {standing.data_dir.certificate}", ""),
        ("Feed", *feed),
    ]
    if standing.feed is not None and standing.feed.assumed:
        rows.append(("", standing.feed.assumed, ""))
    names = ", ".join(f"{name} {pid}" for name, pid in standing.running)
    return [
        *rows,
        ("Running", names, ""),
        ("Database", standing.database, ""),
        ("Redis", standing.store, ""),
        ("Data", str(standing.data_dir.path), ""),
        ("Logs", str(standing.data_dir.logs), ""),
    ]


_KNOWN_LOGIN = (
    "admin, with the password shown at the first start; "
    "a new one: .venv/bin/python manage.py changepassword admin"
)
