"""The text of candle files, and where it says it is wrong."""

import gzip
from pathlib import Path

import pytest

from signals_app.importers.candle_text import CandleFileError, CandleText

LINES = "a,b\n\n1,2\n3\n5,6,7\n"


def text(path: Path, content: str | bytes = LINES) -> CandleText:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CandleText(path)


@pytest.mark.parametrize(
    "content",
    [LINES.encode(), gzip.compress(LINES.encode(), mtime=0), LINES.encode("utf-16")],
    ids=["plain", "gzip", "utf-16"],
)
def test_text_is_read_as_it_comes(tmp_path: Path, content: bytes) -> None:
    assert text(tmp_path / "x.csv", content).text == LINES


def test_rows_are_counted_behind_the_header_without_empty_lines(tmp_path: Path) -> None:
    file = text(tmp_path / "x.csv")
    assert file.header() == "a,b"
    assert [file.field(0, ",", column) for column in (0, 1)] == ["1", "2"]
    assert file.field(1, ",", 1) == ""
    with pytest.raises(CandleFileError, match=r"x\.csv, line 4: no b; correct or remove"):
        file.fail_at(1, "no b")


def test_a_line_with_more_fields_than_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match="line 5: more than 2 fields"):
        text(tmp_path / "x.csv").refuse_long_lines(",", 2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; export it again"),
        (b"\x1f\x8bno gzip at all", "is not a sound gzip file"),
        (gzip.compress(LINES.encode(), mtime=0)[:20], "is cut off in the middle"),
        (b"\xff\x00\x01", "is not a text file"),
        (b"a\0b", "is not a text file"),
    ],
    ids=["empty", "no gzip", "cut", "binary", "zero"],
)
def test_what_is_no_text_is_refused_with_a_remedy(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(CandleFileError, match=sentence):
        text(tmp_path / "x.csv", content)
