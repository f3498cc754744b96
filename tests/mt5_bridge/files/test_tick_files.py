import gzip

import pytest

from mt5_bridge.files.tick_files import MarketFileError, check_file, open_tick_file, symbol_of
from mt5_bridge.protocol.quotes import Quotes

NOON = 1_704_456_000_000  # 2024-01-05T12:00:00Z


def write(folder, text, name="XAUUSD_ticks.csv"):
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def read(path, *arguments, **settings):
    return Quotes.join(list(open_tick_file(path, *arguments, **settings).quotes()))


@pytest.mark.parametrize("name", ["ticks.csv", "ticks.csv.gz"])
def test_plain_ticks_are_read(tmp_path, name):
    text = f"timestamp_ms,bid,ask\n{NOON},2045.5,2045.7\n{NOON + 3},2045.6,2045.9\n"
    opened = open_tick_file(write(tmp_path, text, name))
    assert Quotes.join(list(opened.quotes())) == Quotes.of(
        [(NOON, 2045.5, 2045.7), (NOON + 3, 2045.6, 2045.9)]
    )
    assert opened.assumed == "times are Unix milliseconds, UTC"


def test_last_volume_and_strange_columns_may_stand_there(tmp_path):
    text = (
        "timestamp_ms,bid,ask,last,volume,flags,note\r\n"
        f"{NOON},2045.5,2045.7,2045.6,3,134,first\r\n\r\n{NOON},2045.5,2045.7,,,6,\r\n"
    )
    assert read(write(tmp_path, text)) == Quotes.of(
        [(NOON, 2045.5, 2045.7, 2045.6, 3.0), (NOON, 2045.5, 2045.7, None, None)]
    )


MT5_TICKS = (
    "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
    "2024.07.05\t14:59:59.900\t\t2045.71\t\t\t4\n"
    "2024.07.05\t15:00:00.123\t2045.50\t2045.70\t\t\t6\n"
    "2024.07.05\t15:00:00.456\t2045.52\t\t\t\t2\n"
    "2024.07.05\t15:00:01.000\t\t2045.80\t\t\t4\n"
)


def test_the_export_of_metatrader_carries_unchanged_prices_forward(tmp_path):
    noon = 1_720_180_800_000  # 2024-07-05T12:00:00Z: the broker is 3 hours ahead in summer
    assert read(write(tmp_path, MT5_TICKS), source_timezone="server-eu") == Quotes.of(
        [
            (noon + 123, 2045.5, 2045.7),
            (noon + 456, 2045.52, 2045.7),
            (noon + 1000, 2045.52, 2045.8),
        ]
    )


def test_the_export_is_also_read_in_utf_16(tmp_path):
    path = tmp_path / "XAUUSD.csv"
    path.write_bytes(MT5_TICKS.encode("utf-16"))
    assert len(read(path)) == 3


CANDLES = (
    "timestamp,open,high,low,close,volume,spread\n"
    "2024-01-05T12:00:00,2045.0,2046.0,2044.0,2045.5,9,25\n"
    "2024-01-05T12:01:00,2045.5,2045.9,2044.5,2045.0,9,{spread}\n"
)


def test_an_m1_candle_becomes_four_ticks_low_first_when_it_rises(tmp_path):
    assert read(write(tmp_path, CANDLES.format(spread=30))) == Quotes.of(
        [
            (NOON, 2045.0, 2045.25),
            (NOON + 15_000, 2044.0, 2044.25),
            (NOON + 30_000, 2046.0, 2046.25),
            (NOON + 45_000, 2045.5, 2045.75),
            (NOON + 60_000, 2045.5, 2045.8),
            (NOON + 75_000, 2045.9, 2046.2),
            (NOON + 90_000, 2044.5, 2044.8),
            (NOON + 105_000, 2045.0, 2045.3),
        ]
    )


def test_a_spread_column_with_a_fraction_anywhere_is_in_price(tmp_path):
    opened = open_tick_file(write(tmp_path, CANDLES.format(spread=0.5)))
    quotes = Quotes.join(list(opened.quotes()))
    assert quotes.ask[[0, 4]].tolist() == [2070.0, 2046.0]
    assert "the spread column is in price" in opened.assumed


def test_without_a_spread_the_symbols_own_is_used(tmp_path):
    text = "timestamp,open,high,low,close,volume\n2024-01-05T12:00:00Z,1.1,1.2,1.0,1.1,5\n"
    assert read(write(tmp_path, text, "EURUSD_M1.csv")).ask.tolist() == [
        1.1001,
        1.0001,
        1.2001,
        1.1001,
    ]
    assert read(write(tmp_path, text, "m1.csv"), "XAUUSD").ask[0] == 1.4
    assert read(write(tmp_path, text, "m1.csv"), digits=3, default_spread=0.5).ask[0] == 1.6
    with pytest.raises(MarketFileError, match="give the symbol's digits"):
        read(write(tmp_path, text, "m1.csv"))


def test_an_empty_spread_is_the_default_one(tmp_path):
    assert read(write(tmp_path, CANDLES.format(spread=""))).ask[4] == 2045.8


def test_metatraders_own_candles_are_read(tmp_path):
    text = (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2024.01.05\t14:00:00\t2045.0\t2046.0\t2044.0\t2045.5\t9\t0\t25\n"
    )
    opened = open_tick_file(write(tmp_path, text), source_timezone="server-us")
    assert next(opened.quotes()).rows()[0] == (NOON, 2045.0, 2045.25, None, None)
    assert opened.assumed == (
        "times are taken for MT5 server time on American dates (New York + 7 h); "
        "each M1 candle stands for four ticks (open, low and high, close); "
        "the spread column is in points of 0.01"
    )


def test_times_that_say_their_zone_are_taken_at_their_word(tmp_path):
    text = "timestamp,bid,ask\n2024-01-05T12:00:00.250Z,1,2\n2024-01-05T14:00:01+02:00,1,2\n"
    opened = open_tick_file(write(tmp_path, text), source_timezone="server-eu")
    assert next(opened.quotes()).time_ms.tolist() == [NOON + 250, NOON + 1000]
    assert opened.assumed == "times are read as their own zone says"


@pytest.mark.parametrize(
    ("rows", "line", "what"),
    [
        (f"{NOON},1,2\n{NOON},nan,2", 3, "the price is not a number"),
        (f"{NOON},1,2\n{NOON},1,inf", 3, "the price is infinite"),
        (f"{NOON},1,2\n\n{NOON},3,2", 4, "the ask 2.0 is below the bid 3.0"),
        (f"{NOON},0,2", 2, "the price 0.0 is not positive"),
        (f"{NOON},1,2\n{NOON},abc,2", 3, "'abc' in column bid is not a number"),
        (f"{NOON},1,2\n{NOON - 60_001},1,2", 3, "60.0 s before the last one"),
        (f"{NOON},1,2\nyesterday,1,2", 3, "'yesterday' is not a time"),
        (f"{NOON},1,2\n{NOON},1", 3, "2 columns where the header has 3"),
        (f"{NOON},1\n{NOON},1,2,3", 2, "2 columns where the header has 3"),
        ("99999999999999999,1,2", 2, "not a time of our days"),
    ],
)
def test_a_bad_line_is_named(tmp_path, rows, line, what):
    path = write(tmp_path, f"timestamp_ms,bid,ask\n{rows}\n")
    with pytest.raises(MarketFileError) as refused:
        check_file(path)
    text = str(refused.value)
    assert text.startswith(f"{path}, line {line}: ")
    assert what in text
    assert text.endswith("; correct or remove that line")


def test_a_bad_candle_is_named(tmp_path):
    text = CANDLES.format(spread=3).replace("2045.9,2044.5", "2045.4,2044.5")
    with pytest.raises(MarketFileError, match="line 3: the open and the close are not between"):
        check_file(write(tmp_path, text))


def test_longer_candles_cannot_stand_in_for_ticks(tmp_path):
    rows = "".join(f"2024-01-05T12:{m}:00Z,1,1,1,1\n" for m in ("00", "15", "30"))
    path = write(tmp_path, "timestamp,open,high,low,close\n" + rows)
    with pytest.raises(MarketFileError, match="candles of M15, not of M1"):
        check_file(path)


@pytest.mark.parametrize(
    ("content", "name", "what"),
    [
        (b"", "a.csv", "is empty"),
        (b"timestamp_ms,bid,ask\n", "a.csv", "has a header but no tick"),
        (b"1704456000000,1,2\n", "a.csv", "the header must be timestamp_ms,bid,ask"),
        (b"PK\x03\x04\x00\xff", "a.zip", "is not a sound zip archive"),
        (b"timestamp_ms,bid,ask\n", "a.csv.gz", "named .gz but is not gzip"),
        (gzip.compress(b"timestamp_ms,bid,ask\n" * 999)[:-12], "a.csv.gz", "is cut off"),
        (gzip.compress(b"timestamp_ms,bid\n")[:12] + b"xxxxxxxxxxxxx", "a.gz", "does not unpack"),
    ],
    ids=["empty", "header only", "no header", "zip", "plain named gz", "cut off", "damaged"],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(tmp_path, content, name, what):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MarketFileError, match=what) as refused:
        check_file(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_a_directory_and_a_wrong_zone_are_refused(tmp_path):
    with pytest.raises(MarketFileError, match="does not exist; check the path"):
        check_file(tmp_path / "none.csv")
    with pytest.raises(MarketFileError, match="is a directory"):
        check_file(tmp_path)
    with pytest.raises(MarketFileError, match="is no time zone"):
        check_file(tmp_path / "none.csv", source_timezone="Mars")


def test_a_jump_is_left_to_the_judge_of_the_stream(tmp_path):
    text = f"timestamp_ms,bid,ask\n{NOON},100,101\n{NOON},200,201\n{NOON},100,101\n"
    assert check_file(write(tmp_path, text)).ticks == 3


def test_the_symbol_is_what_the_name_begins_with():
    assert symbol_of("data/XAUUSD_M1_2017.csv.gz") == "XAUUSD"
    assert symbol_of("EURUSD.csv") == "EURUSD"
    assert symbol_of("ticks.csv") is None
    assert symbol_of("DOWNLOADS.csv") is None


def test_lines_are_counted_across_blocks(tmp_path):
    rows = [f"{NOON + i},2045.5,2045.7" for i in range(90_000)]
    rows[80_000] = f"{NOON},2045.5,oops"
    path = write(tmp_path, "timestamp_ms,bid,ask\n" + "\n".join(rows))
    with pytest.raises(MarketFileError, match="line 80002: 'oops' in column ask"):
        check_file(path)


def test_real_ticks_are_all_there(shared):
    summary = check_file(shared / "data" / "XAUUSD_ticks_oanda_2014-05-01_to_08.csv.gz")
    assert summary.ticks == 1_171_336
    assert (summary.first_time_ms, summary.last_time_ms) == (1398902400043, 1399593599341)


def test_metatraders_flags_beside_the_quotes_do_no_harm(shared):
    quotes = read(shared / "data" / "XAUUSD_ticks_mt5-sample_2026-09-21.csv.gz")
    assert len(quotes) == 120
    assert quotes.rows()[0] == (1789987235664, 4348.28, 4348.51, None, None)
