from pathlib import Path

import pytest

from mt5_bridge.files.broker_time import clock_named
from mt5_bridge.files.text_files import TickFileError
from mt5_bridge.files.tick_layout import parse_header
from mt5_bridge.files.tick_rows import RowParser

PATH = Path("ticks.csv")


def rows(header="timestamp,bid,ask", clock="utc"):
    return RowParser(PATH, parse_header(PATH, header), clock_named(clock))


def test_lines_are_counted_and_empty_ones_passed_over():
    assert list(rows().cells(7, b"a,1,2\r\n\n  \nb,3,4\n")) == [
        (7, ["a", "1", "2"]),
        (10, ["b", "3", "4"]),
    ]


def test_a_fault_names_file_line_and_what_to_do():
    with pytest.raises(TickFileError) as fault:
        rows().price(3, ["now", "abc", "2"], 1)
    assert str(fault.value) == (
        "ticks.csv, line 3: 'abc' in column bid is not a number; correct or remove that line"
    )


@pytest.mark.parametrize(("text", "what"), [("", "is missing"), ("inf", "is not a positive")])
def test_a_price_is_a_positive_number(text, what):
    with pytest.raises(TickFileError, match=what):
        rows().price(2, ["now", text, "2"], 1)


def test_date_and_time_may_stand_in_columns_of_their_own():
    assert rows("date,time,bid,ask").time(2, ["2024.01.05", "12:00:00", "1", "2"]) == (
        1_704_456_000_000,
        False,
    )


def test_only_times_without_a_zone_are_moved_by_the_files_clock():
    noon = 1_704_456_000_000
    found = rows(clock="+02:00").utc([noon, noon], [True, False])
    assert found.tolist() == [noon, noon - 7_200_000]
