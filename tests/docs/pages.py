"""The documentation as the tests read it: pages, headings, fenced lines and code spans."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("goldtrader", "signals_app", "trades_app", "reports_app", "mt5_bridge")
REFERENCE = ROOT / "docs" / "reference"

_FENCE = re.compile(r"^\s*```", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")


class Line(NamedTuple):
    """A line of a page, for messages of tests: `page:number: text`."""

    page: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.number}: {self.text.strip()}"


@cache
def files(*endings: str) -> tuple[Path, ...]:
    """The repository's files, tracked or about to be, whose names end so."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = (ROOT / name for name in listed.split("\0") if name.endswith(endings))
    return tuple(sorted(path for path in found if path.is_file()))


def pages() -> tuple[Path, ...]:
    """Every page of Markdown in the repository."""
    return files(".md")


def code() -> tuple[Path, ...]:
    """Every module that is part of the product."""
    return tuple(
        path
        for path in files(".py")
        if path.relative_to(ROOT).parts[0] in PACKAGES or path.name == "manage.py"
    )


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> Iterator[Line]:
    """The lines outside of fences."""
    for line, is_fenced in _lines(path):
        if not is_fenced:
            yield line


def fenced(path: Path) -> Iterator[Line]:
    """The lines inside of fences; one that ends in a backslash or backtick goes on in the next."""
    held: Line | None = None
    for line, is_fenced in _lines(path):
        if not is_fenced:
            continue
        joined = line if held is None else held._replace(text=held.text + " " + line.text.strip())
        if joined.text.rstrip().endswith(("\\", "`")):
            held = joined._replace(text=joined.text.rstrip().rstrip("\\`"))
            continue
        held = None
        yield joined


def spans(path: Path) -> Iterator[Line]:
    """The code spans outside of fences, each as a line of its own."""
    for line in prose(path):
        for span in _SPAN.findall(line.text):
            yield line._replace(text=span)


def sections(path: Path) -> dict[str, str]:
    """A page's text by heading; a heading of the third level has its parent's introduction too."""
    found: dict[str, str] = {}
    parent, heading = "", ""
    for line in text(path).splitlines():
        match = re.match(r"(#{1,3}) +(.*)", line)
        if match:
            heading = match[2].strip()
            is_child = len(match[1]) == 3
            parent = parent if is_child else heading
            found[heading] = found[parent] + "\n" if is_child else ""
        elif heading:
            found[heading] += line + "\n"
    return found


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and GitLab make them."""
    found: set[str] = set()
    for line in prose(path):
        match = re.match(r"#{1,6} +(.*)", line.text)
        if match:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "")
            kept = re.sub(r"[^\w\- ]", "", title.strip().lower())
            found.add(kept.replace(" ", "-"))
    return found


def _lines(path: Path) -> Iterator[tuple[Line, bool]]:
    is_fenced = False
    for number, line in enumerate(text(path).splitlines(), 1):
        if _FENCE.match(line):
            is_fenced = not is_fenced
            continue
        yield Line(path, number, line), is_fenced
