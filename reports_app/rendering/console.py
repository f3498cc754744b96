"""The terminal of every command: a console, plain tables, JSON and a progress bar."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from signals_app.importers.progress import OnProgress
from signals_app.market.rounding import unsigned_zeros

_WIDTH = 110
_MINUTE = 60.0
_SIGNED_ZERO = re.compile(r"-0\.0(?!\d)")


def console_on(output: OutputWrapper, *, width: int = _WIDTH) -> Console:
    """A console that prints on a command's output, at least ``width`` characters wide.

    In a narrower window lines break, but no figure of a table is cut.
    """
    console = Console(file=cast("IO[str]", output), highlight=False)
    console.width = max(console.width, width)
    return console


def print_lines(console: Console, *lines: str) -> None:
    """Print each as a line of its own and leave the breaking of long ones to the window."""
    for line in lines:
        console.print(line, soft_wrap=True)


def write_json(output: OutputWrapper, value: Any) -> None:
    """Print a value as one line of JSON."""
    written = json.dumps(value)
    # To look at the text is quicker than to walk through a value that has no such zero.
    output.write(json.dumps(unsigned_zeros(value)) if _SIGNED_ZERO.search(written) else written)


def plain_table(*names: str) -> Table:
    """A table without lines: its first column on the left, figures to the right of it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left")
    return table


@contextmanager
def progress(*, quiet: bool) -> Iterator[OnProgress]:
    """Show a bar on standard error; a line a minute where ``quiet``, as there is no terminal.

    It starts again from the beginning where less is done than before: the next job has begun.
    """
    if quiet:
        yield lines_of_progress(sys.stderr.write)
        return
    with Progress(
        TextColumn("{task.fields[what]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        task = shown.add_task("", total=None, what="")

        def on_progress(done: int, total: int, what: str) -> None:
            if done < shown.tasks[0].completed:
                shown.reset(task, total=total, what=what)
            shown.update(task, completed=done, total=total, what=what)

        yield on_progress


def lines_of_progress(
    write: Callable[[str], object], clock: Callable[[], float] = time.monotonic
) -> OnProgress:
    """What writes how far a job is, once a minute."""
    written_at = clock()

    def on_progress(done: int, total: int, what: str) -> None:
        nonlocal written_at
        if clock() - written_at < _MINUTE:
            return
        written_at = clock()
        write(f"{what}: {done / total:.0%}\n" if total else f"{what}\n")

    return on_progress
