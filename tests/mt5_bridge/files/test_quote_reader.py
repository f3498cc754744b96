import pytest

from mt5_bridge.files.broker_time import UTC_CLOCK
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.layout import parse_header
from mt5_bridge.files.quote_reader import QuoteReader
from mt5_bridge.files.rows import RowParser
from mt5_bridge.files.text_files import read_header
from mt5_bridge.protocol.quotes import Quotes

NOON = 1_704_456_000_000


def read(folder, text, on_read=lambda _: None):
    path = folder / "ticks.csv"
    path.write_text(text)
    rows = RowParser(path, parse_header(path, read_header(path)), UTC_CLOCK)
    return Quotes.join(list(QuoteReader(rows).quotes(on_read)))


def test_a_block_read_at_once_is_what_it_is_row_by_row(tmp_path):
    header = "timestamp_ms,bid,ask,volume\n"
    plain = "".join(f"{NOON + at},{2000 + at / 10},{2001 + at / 10},{at}\n" for at in range(50))
    # A blank before a number is enough to be read row by row.
    odd = plain.replace(f"{NOON},", f" {NOON},", 1)
    assert read(tmp_path, header + plain) == read(tmp_path, header + odd)


def test_a_short_row_beside_a_long_one_does_not_shift_the_columns(tmp_path):
    with pytest.raises(MarketFileError, match="line 2: 2 columns where the header has 3"):
        read(tmp_path, f"timestamp_ms,bid,ask\n{NOON},1\n{NOON},1,2,3\n")


def test_a_jump_is_passed_on_and_other_bad_ticks_are_not(tmp_path):
    header = "timestamp_ms,bid,ask\n"
    assert len(read(tmp_path, f"{header}{NOON},100,101\n{NOON},200,201\n")) == 2
    with pytest.raises(MarketFileError, match="line 3: the ask 99\\.0 is below the bid"):
        read(tmp_path, f"{header}{NOON},100,101\n{NOON},100,99\n")


def test_how_far_the_file_is_read_is_reported(tmp_path):
    said = []
    text = f"timestamp_ms,bid,ask\n{NOON},1,2\n"
    read(tmp_path, text, said.append)
    assert said == [len(text)]
