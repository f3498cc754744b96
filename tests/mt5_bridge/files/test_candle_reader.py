import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt5_bridge.files import text_files
from mt5_bridge.files.broker_time import UTC_CLOCK
from mt5_bridge.files.candle_reader import CandleReader
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import parse_header
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header

NOON = 1_704_456_000_000
HEADER = "timestamp,open,high,low,close,volume"
FIRST = "2024-01-05T12:00:00Z,2045.0,2046.0,2044.0,2045.5,9"
SECOND = "2024-01-05T12:01:00Z,2045.5,2045.9,2044.5,2045.0,7.5"
NAMES = ("time_ms", "open", "high", "low", "close", "volume")


def reader(folder, *lines, header=HEADER):
    path = folder / "candles.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return CandleReader(RowParser(path, parse_header(path, read_header(path)), UTC_CLOCK))


def read(folder, *lines, header=HEADER):
    blocks = list(reader(folder, *lines, header=header).candles())
    return [
        row
        for block in blocks
        for row in zip(*(getattr(block, name).tolist() for name in NAMES), strict=True)
    ]


def test_candles_are_the_same_at_once_and_row_by_row(tmp_path):
    plain = read(tmp_path, FIRST, SECOND)
    assert plain == [
        (NOON, 2045.0, 2046.0, 2044.0, 2045.5, 9.0),
        (NOON + 60_000, 2045.5, 2045.9, 2044.5, 2045.0, 7.5),
    ]
    # A blank line and a quote are enough to be read row by row.
    assert read(tmp_path, FIRST, "", SECOND) == plain
    assert read(tmp_path, FIRST.replace("2045.0", '"2,045.0"'), SECOND) == plain


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("2044.5", "abc", "'abc' in column low is not a number"),
        ("2044.5", "nan", "a price is not a number"),
        ("2044.5", "", "a price is missing"),
        ("2044.5", "-1", "a price is not a positive number"),
        ("2045.9", "1e10", "a price is above 1,000,000,000"),
        ("2045.9", "2044", "high is below low"),
        ("2045.9", "2045.4", "the open and the close are not between low and high"),
        ("7.5", "-1", "volume is below zero"),
        ("7.5", "inf", "volume is infinite"),
        ("7.5", "True", "'True' in column volume is not a number"),
        ("12:01", "12:00", "its time is that of the candle before; remove one of them"),
        ("12:01", "11:59", "its time is before that of the candle before; sort the file by time"),
        ("12:01", "25:01", "'2024-01-05T25:01:00Z' is not a time"),
        ("7.5", "7.5,1", "7 columns where the header has 6"),
    ],
)
def test_a_bad_candle_is_refused_by_its_line(tmp_path, old, new, what):
    with pytest.raises(MarketFileError, match=f"line 3: {what}") as refused:
        read(tmp_path, FIRST, SECOND.replace(old, new))
    assert "\n" not in str(refused.value)


def test_a_spread_may_not_be_negative_but_may_be_empty(tmp_path):
    header = f"{HEADER},spread"
    (block,) = reader(tmp_path, f"{FIRST},25", f"{SECOND},", header=header).candles()
    assert block.spread[0] == 25.0
    assert block.spread[1] != block.spread[1]
    with pytest.raises(MarketFileError, match="line 2: spread is below zero"):
        read(tmp_path, f"{FIRST},-1", header=header)


def test_the_order_is_checked_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "_BLOCK_BYTES", 60)
    with pytest.raises(MarketFileError, match="line 3: its time is that of the candle before"):
        read(tmp_path, FIRST, FIRST)


def test_decimals_are_counted_as_they_are_written(tmp_path):
    for line in (FIRST, FIRST.replace("2045.0", "2045.000")):
        for empty in ([], [""]):
            found = reader(tmp_path, f"{line},1", *empty, header=f"{HEADER},spread")
            list(found.candles())
            assert found.decimals == (3 if "000" in line else 1)


def test_what_a_float_left_behind_counts_as_no_decimals(tmp_path):
    noisy = FIRST.replace("2045.0", "2045.0000000000002").replace("2045.5", "2045.45")
    for empty in ([], [""]):
        found = reader(tmp_path, f"{noisy},1", *empty, header=f"{HEADER},spread")
        list(found.candles())
        assert found.decimals == 2


@given(st.lists(st.integers(0, 5), min_size=2, max_size=12))
def test_a_file_whose_minutes_do_not_rise_is_refused(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("candles")
    minutes = [sum(steps[: place + 1]) for place in range(len(steps))]
    lines = [f"2024-01-05T12:{minute:02}:00Z,1,1,1,1,1" for minute in minutes]
    if 0 in steps[1:]:
        with pytest.raises(MarketFileError, match=f"line {steps[1:].index(0) + 3}: its time is"):
            read(folder, *lines)
    else:
        assert len(read(folder, *lines)) == len(steps)
