"""Command lines of manage.py that a page shows in a block run as they are printed.

They run in this process, page by page and in order, against the test's database and in a folder
that holds the files which pages name. What is only parsed shows as skipped, with the reason.
"""

import gzip
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command, get_commands, load_command_class

from signals_app.management import database
from signals_app.market.calendar import iso, milliseconds
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle
from tests.docs.pages import ROOT, Line, fenced, pages
from tests.docs.test_command_lines import command_lines

#: What pages leave to the reader, and what stands for it here.
_MEANT = {
    "FILE": "XAUUSD_M15.csv.gz",
    "TICKS": "ticks.csv.gz",
    "DIRECTORY": "candles",
    "DIR": "var",
    "DATE:DIGEST": f"2024-01-05:{'0' * 64}",
}
_ONLY_PARSED = {
    "stack": "starts every process; tests of the stack run it",
    "connector_config": "needs the certificate of a stack that was started; its own tests run it",
    "optimise": "searches for minutes; its own tests run a small search",
    "verify_record": "is given digests of no record here; its own tests run it",
}
#: A Wednesday; every other date on the pages lies before or behind it as the pages mean it.
_START_MS = milliseconds(datetime(2013, 1, 2, tzinfo=UTC))
_QUARTER_MS = 900_000


def _words(line: Line) -> list[str]:
    elided = re.sub(r"\b[0-9a-f]{4}…[0-9a-f]{4}\b", "0" * 64, line.text)
    plain = re.sub(r"[\[\]]|\.\.\.", " ", elided)
    words = shlex.split(plain)
    return [_MEANT.get(word, word) for word in words[words.index("manage.py") + 1 :]]


PAGES = {
    page.relative_to(ROOT).as_posix(): lines
    for page in pages()
    if (lines := [line for line in command_lines(fenced(page)) if "manage.py" in line.text])
}
LINES = [line for lines in PAGES.values() for line in lines]


def _candles() -> list[Candle]:
    """Quarters of a random walk, as many as calibrations and scores need."""
    close = 1700 + np.cumsum(np.random.default_rng(5).normal(0, 1, 480))
    return [
        Candle(_START_MS + place * _QUARTER_MS, end - 0.5, end + 1.0, end - 1.0, end, 50.0)
        for place, end in enumerate(close.round(2).tolist())
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages name."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "candles").mkdir()
    rows = [
        f"{iso(one.time_ms)},{one.open:.2f},{one.high:.2f},{one.low:.2f},{one.close:.2f},50"
        for one in _candles()
    ]
    text = "\n".join(["timestamp,open,high,low,close,volume", *rows])
    for name in ("candles.csv", "candles/XAUUSD_M15.csv"):
        (folder / name).write_text(text)
    ticks = [
        f"{one.time_ms + 10 * _QUARTER_MS * 96},{one.close:.2f},{one.close + 0.2:.2f}"
        for one in _candles()
    ]
    for name, content in (
        ("XAUUSD_M15.csv.gz", text),
        ("ticks.csv.gz", "\n".join(["timestamp_ms,bid,ask", *ticks])),
        ("XAUUSD_ticks.csv.gz", "\n".join(["timestamp_ms,bid,ask", *ticks])),
    ):
        with gzip.open(folder / name, "wt") as file:
            file.write(text if content is text else content)
    return folder


@pytest.fixture
def typing(files: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The reader's terminal: in that folder, with the test's database behind every directory."""

    @contextmanager
    def ours(_data_dir: Path, *, by: str) -> Iterator[None]:
        yield

    monkeypatch.chdir(files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.M15, _candles(), PriceCandle.Source.HISTORY)
    )
    with database.replaced(ours):
        yield


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_printed_line_is_parsed_as_it_stands(line: Line) -> None:
    name, *words = _words(line)
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)

    parser.parse_args(words)


@pytest.mark.parametrize(
    "line", [line for line in LINES if _words(line)[0] in _ONLY_PARSED], ids=str
)
def test_a_printed_line_is_not_run(line: Line) -> None:
    name, *_ = _words(line)
    pytest.skip(f"{name} {_ONLY_PARSED[name]}")


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_the_printed_lines_of_a_page_run_one_after_the_other(page: str, typing: None) -> None:
    for name, *words in map(_words, PAGES[page]):
        if name not in _ONLY_PARSED:
            printed = StringIO()
            call_command(name, *words, stdout=printed, stderr=StringIO())
            assert printed.getvalue(), f"{page}: {name} printed nothing"


def test_what_is_only_parsed_is_still_on_a_page() -> None:
    assert _ONLY_PARSED.keys() <= {_words(line)[0] for line in LINES}
