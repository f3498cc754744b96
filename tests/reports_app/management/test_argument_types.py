"""Values of the command line, and the sentence that refuses each."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from reports_app.management.argument_types import (
    day,
    end,
    moment,
    natural,
    parameter_range,
    positive,
    published_digest,
    symbol,
    writable_file,
)
from reports_app.track_record.proof import Published

NEW_YEAR = 1_704_067_200_000
DIGEST = "0f" * 32


def test_times_are_utc_unless_they_name_an_offset() -> None:
    assert moment("2024-01-01") == moment("2024-01-01T02:00+02:00") == NEW_YEAR


def test_symbols_are_read_in_capitals_and_refused_where_they_are_none() -> None:
    assert symbol(" xauusd") == "XAUUSD"
    with pytest.raises(ArgumentTypeError, match="'XAU USD' is no symbol"):
        symbol("XAU USD")


def test_a_date_that_ends_a_span_has_its_day_inside() -> None:
    assert end("2023-12-31") == day("2024-01-01") == NEW_YEAR
    assert end("2024-01-01T00:00") == NEW_YEAR


def test_a_published_digest_is_read_with_its_date_in_either_case() -> None:
    assert published_digest(f" 2024-01-05:{DIGEST.upper()} ") == Published(date(2024, 1, 5), DIGEST)


def test_a_range_has_a_name_and_its_values() -> None:
    assert parameter_range("threshold=80:90:5") == ("threshold", (80.0, 85.0, 90.0))


def test_a_file_to_be_written_needs_its_directory(tmp_path: Path) -> None:
    assert writable_file(str(tmp_path / "page.html")) == tmp_path / "page.html"
    with pytest.raises(ArgumentTypeError, match="is a directory; name a file in it"):
        writable_file(str(tmp_path))
    with pytest.raises(ArgumentTypeError, match=r"there is no directory .*; make it first"):
        writable_file(str(tmp_path / "missing" / "page.html"))


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (moment, "soon", "'soon' is no date or time like 2014-05-01"),
        (end, "soon", "'soon' is no date or time like 2014-05-01"),
        (day, "2024-13-01", "'2024-13-01' is no day like 2013-01-31"),
        (positive, "0", "'0' is no whole number from 1 on"),
        (natural, "-1", "'-1' is no whole number from 0 on"),
        (natural, "1.5", "'1.5' is no whole number from 0 on"),
        (published_digest, f"2024-01-05:{DIGEST}0", "write it as 2024-01-05:DIGEST"),
        (published_digest, f"2024-02-31:{DIGEST}", "day .*month"),
    ],
)
def test_what_cannot_be_read_is_refused(
    read: Callable[[str], object], text: str, sentence: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=sentence):
        read(text)
