from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files.broker_time import clock_named
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import parse_header
from mt5_bridge.files.rows import RowParser, TimeColumn, numbers
from mt5_bridge.files.text_files import Header

PATH = Path("ticks.csv")
NOON = 1_704_456_000_000


def rows(header="timestamp,bid,ask", clock="utc"):
    return RowParser(PATH, parse_header(PATH, Header(1, header)), clock_named(clock))


def times(texts, clock="utc", header="timestamp,bid,ask"):
    """Read times both ways, which give the same, and return them."""
    slow = TimeColumn(rows(header, clock)).one_by_one(range(2, 2 + len(texts)), texts)
    fast = TimeColumn(rows(header, clock)).at_once(2, [[text.encode() for text in texts]])
    assert fast is None or fast.tolist() == slow.tolist()
    return slow.tolist()


def test_lines_are_counted_and_empty_ones_passed_over():
    assert list(rows().cells(7, b"a,1,2\n\n  \nb,3,4\n")) == [
        (7, ["a", "1", "2"]),
        (10, ["b", "3", "4"]),
    ]


def test_a_regular_block_is_taken_apart_at_once_and_another_is_not():
    assert rows().columns(b"a,1,2\nb,3,4") == [[b"a", b"b"], [b"1", b"3"], [b"2", b"4"]]
    for block in (b"a,1\nb,2,3,4\n", b"a,1,2\n\nb,3,4\n", b'"a",1,2\n', b"a,1,2,3\nb,4\n"):
        assert rows().columns(block) is None


@given(
    st.lists(st.lists(st.sampled_from(["", "1", "2.5", "x"]), min_size=3, max_size=3), min_size=1)
)
def test_both_ways_of_taking_apart_agree(table):
    block = "".join(",".join(cells) + "\n" for cells in table).encode()
    columns = rows().columns(block)
    slow = [list(cells) for _, cells in rows().cells(1, block)]
    assert [list(row) for row in zip(*columns, strict=True)] == [
        [cell.encode() for cell in row] for row in slow
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2050.5", 2050.5),
        (" 7 ", 7),
        ("1e-5", 1e-5),
        ("+.5", 0.5),
        ("5.", 5),
        ("2,050.5", 2050.5),
    ],
)
def test_a_number_may_be_written_in_several_ways(text, number):
    assert rows().number(2, ["now", text, "2"], 1, None) == number


@pytest.mark.parametrize("text", ["abc", "1_000", "\u0663", "2,050", "2.050,10", "1 000", "1e"])
def test_what_is_no_number_is_refused_with_file_line_and_column(text):
    with pytest.raises(MarketFileError) as fault:
        rows().number(3, ["now", text, "2"], 1, None)
    assert str(fault.value).startswith(f"ticks.csv, line 3: {text!r} in column bid is not a number")
    assert str(fault.value).endswith("; correct or remove that line")
    assert numbers([text.encode()]) is None


def test_a_quoted_cell_may_hold_the_delimiter():
    ((_, cells),) = rows().cells(2, b'now,"2,050.25","2,050.50"\n')
    assert cells == ["now", "2,050.25", "2,050.50"]


def test_a_quote_without_an_end_is_refused_by_its_line():
    with pytest.raises(MarketFileError, match="line 2: its quotes cannot be read"):
        list(rows().cells(2, b'now,"2050.25' + b"0" * 200_000 + b",2050.5\n"))


def test_date_and_time_may_stand_in_columns_of_their_own():
    parser = rows("date,time,bid,ask")
    columns = [[b"2024.01.05"], [b"12:00:00"], [b"1"], [b"2"]]
    assert TimeColumn(parser).at_once(2, columns).tolist() == [NOON]
    assert parser.time_text(["2024.01.05", "12:00:00", "1", "2"]) == "2024.01.05 12:00:00"


def test_only_times_without_a_zone_are_moved_by_the_files_clock():
    mixed = ["2024-01-05T12:00:00Z", "2024-01-05T14:00:00"]
    assert times(mixed, "+02:00") == [NOON, NOON]


def test_a_header_that_names_its_clock_goes_before_the_users():
    assert times(["05.01.2024 12:00:00"], "server-eu", "Gmt time,bid,ask") == [NOON]
    assert times(["05.01.2024 12:00:00"], "server-eu", "Local time,bid,ask") == [NOON - 7_200_000]


def test_the_hour_that_happens_twice_is_told_apart_by_the_files_order():
    # Athens goes back from 04:00 to 03:00 on 27 October 2024, at 01:00 UTC.
    midnight = 1_729_987_200_000
    minutes = [f"2024-10-27 03:{minute:02}:00" for minute in range(60)]
    found = times(minutes * 2 + ["2024-10-27 04:00:00"], "server-eu")
    assert found == [midnight + minute * 60_000 for minute in range(121)]
    candles = "timestamp,open,high,low,close"
    hours = ["2024-10-27 03:00", "2024-10-27 03:00", "2024-10-27 04:00"]
    assert times(hours, "server-eu", candles) == [midnight + n * 3_600_000 for n in range(3)]


def test_the_second_hour_may_begin_in_another_block():
    column = TimeColumn(rows(clock="server-eu"))
    first, second = (
        column.at_once(2, [[f"2024-10-27 03:{minute}:00".encode()]]) for minute in (59, "00")
    )
    assert int(second[0] - first[0]) == 60_000


def test_ticks_that_go_back_a_little_are_not_taken_for_the_second_hour():
    found = times(["2024-10-27 03:00:30", "2024-10-27 03:00:00"], "server-eu")
    assert found[1] - found[0] == -30_000


def test_a_time_that_never_was_is_refused():
    with pytest.raises(MarketFileError, match="line 2: 2024-03-31T03:30:00 never was on the clock"):
        times(["2024-03-31 03:30"], "server-eu")


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (
            ["1704456000000", "1704456000"],
            "1704456000 counts seconds, and those before count mill",
        ),
        (["1704456000", "2024-01-05"], "2024-01-05 is a date, and those before count seconds"),
        (["2024-01-05", "1704456000"], "1704456000 counts seconds, and those before are dates"),
    ],
)
def test_one_file_counts_time_in_one_way(texts, what):
    with pytest.raises(MarketFileError, match=f"line 3: the time {what}"):
        times(texts)
    column = TimeColumn(rows())
    assert column.at_once(2, [[texts[0].encode()]]) is not None
    assert column.at_once(3, [[texts[1].encode()]]) is None


@given(st.integers(1, 10**9), st.integers(1, 8))
def test_a_price_is_refused_where_five_decimals_cannot_hold_it(number, decimals):
    price = number / 10**decimals
    prices = np.array([1.0, price])
    if number % 10 ** max(decimals - 5, 0):
        shown = np.format_float_positional(price)
        with pytest.raises(MarketFileError, match=f"line 8: the price {shown} has more than the 5"):
            rows().refuse_off_grid(lambda row: row + 7, np.ones(2), prices)
    else:
        rows().refuse_off_grid(lambda row: row + 7, np.ones(2), prices)


def test_what_a_float_leaves_behind_the_decimals_is_no_change():
    rows().refuse_off_grid(int, np.array([1.1000000001, 2050.1 + 4e-13, np.nan, np.inf]))
