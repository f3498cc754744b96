"""Candle files are read whatever wrote them, and refused in one sentence where unsound."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.importers.candle_files import MarketFileError, read_candle_file, read_candles
from signals_app.importers.tick_files import read_ticks
from signals_app.market.calendar import iso
from signals_app.market.candle import Candle
from signals_app.market.instrument import DEFAULT_INSTRUMENTS

GOLD = DEFAULT_INSTRUMENTS[0]
JANUARY_2 = 1_704_153_600_000
HOUR = 3_600_000
ISO_HEADER = "timestamp,open,high,low,close,volume\n"
FIRST = "2024-01-02T00:00:00Z,2062.5,2066.1,2061.9,2065.0,1200\n"
SECOND = "2024-01-02T01:00:00Z,2065.0,2067.0,2064.2,2066.3,900.5\n"
TWO_CANDLES = [
    Candle(JANUARY_2, 2062.5, 2066.1, 2061.9, 2065.0, 1200.0),
    Candle(JANUARY_2 + HOUR, 2065.0, 2067.0, 2064.2, 2066.3, 900.5),
]


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str | bytes, name: str = "candles.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def times(path: Path, source_timezone: str = "utc") -> list[str]:
    return [iso(time_ms) for time_ms in read_candles(path, source_timezone).time_ms.tolist()]


def at(*written: str) -> str:
    return ISO_HEADER + "".join(f"{time},1,1,1,1,1\n" for time in written)


def test_iso_csv_is_read_as_written(write):
    assert list(read_candles(write(ISO_HEADER + FIRST + SECOND))) == TWO_CANDLES


def test_gzip_is_recognised_by_its_content(write):
    packed = gzip.compress((ISO_HEADER + FIRST + SECOND).encode())
    assert list(read_candles(write(packed, "candles.csv.gz"))) == TWO_CANDLES
    assert list(read_candles(write(packed, "renamed.csv"))) == TWO_CANDLES


def test_other_columns_and_blank_lines_do_not_matter(write):
    text = (
        "note,volume,close,low,high,open,timestamp\n\n"
        "x,1200,2065.0,2061.9,2066.1,2062.5,2024-01-02T00:00:00Z\n\n"
        ",900.5,2066.3,2064.2,2067.0,2065.0,2024-01-02 01:00\n\n"
    )
    assert list(read_candles(write(text))) == TWO_CANDLES


def test_prices_are_put_on_the_grid(write):
    text = ISO_HEADER + "2024-01-02T00:00:00Z,1.1000000001,1.2,1.0,1.1,5\n"
    assert read_candles(write(text)).open.tolist() == [1.1]


def test_metatrader_5_export_is_recognised(write):
    text = (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
        "2024.01.02\t00:00:00\t2062.5\t2066.1\t2061.9\t2065.0\t1200\t0\t12\r\n"
        "2024.01.02\t01:00:00\t2065.0\t2067.0\t2064.2\t2066.3\t900.5\t0\t15\r\n"
    )
    for path in (write(text), write(text.replace("\t", ",")), write(text.encode("utf-16"))):
        file = read_candle_file(path)
        assert list(file.candles) == TWO_CANDLES
        assert file.spread.tolist() == [12.0, 15.0]
        assert file.spreads(GOLD).tolist() == [0.12, 0.15]
        assert file.assumed == "times are taken for UTC"


def test_metatrader_5_daily_export_has_no_time_of_day(write):
    text = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n2024.01.02\t1\t1\t1\t1\t1\n"
    assert times(write(text)) == ["2024-01-02T00:00:00Z"]


def test_dukascopy_export_is_in_utc_whatever_timezone_is_given(write):
    text = (
        "Gmt time,Open,High,Low,Close,Volume\n"
        "02.01.2024 00:00:00.000,2062.5,2066.1,2061.9,2065.0,1200\n"
        "02.01.2024 01:00:00.000,2065.0,2067.0,2064.2,2066.3,900.5\n"
    )
    assert list(read_candles(write(text), "server-eu")) == TWO_CANDLES


def test_dukascopy_local_time_carries_its_offset(write):
    text = (
        "Local time,Open,High,Low,Close,Volume\n"
        "02.01.2024 02:00:00.000 GMT+0200,2062.5,2066.1,2061.9,2065.0,1200\n"
    )
    assert list(read_candles(write(text), "server-us")) == TWO_CANDLES[:1]


def test_offset_in_the_file_wins_over_the_given_clock(write):
    path = write(at("2024-01-02T02:00:00+02:00", "2024-01-02T03:00:00", "2024-01-02 05:00+03"))
    assert times(path, "+02:00") == [
        "2024-01-02T00:00:00Z",
        "2024-01-02T01:00:00Z",
        "2024-01-02T02:00:00Z",
    ]
    assert times(write(at("2024-01-02")), "+02:00") == ["2024-01-01T22:00:00Z"]


@pytest.mark.parametrize(
    ("clock", "winter", "between_the_changes", "summer"),
    [
        ("utc", "00:00", "00:00", "00:00"),
        ("server-eu", "22:00", "22:00", "21:00"),
        ("server-us", "22:00", "21:00", "21:00"),
        ("America/New_York", "05:00", "04:00", "04:00"),
        ("+05:30", "18:30", "18:30", "18:30"),
        ("-03:00", "03:00", "03:00", "03:00"),
    ],
)
def test_naive_times_are_read_by_the_given_clock(write, clock, winter, between_the_changes, summer):
    # In 2024 America changed on 10 March, Europe on 31 March.
    path = write(at("2024-01-02T00:00:00", "2024-03-20T00:00:00", "2024-07-02T00:00:00"))
    assert [time[11:16] for time in times(path, clock)] == [winter, between_the_changes, summer]


def test_doubled_hour_of_autumn_is_read_in_order(write):
    doubled = [f"2024-10-27T0{time}" for time in ("2:30", "3:00", "3:30", "3:00", "3:30", "4:00")]
    assert [time[11:16] for time in times(write(at(*doubled)), "Europe/Athens")] == [
        "23:30",
        "00:00",
        "00:30",
        "01:00",
        "01:30",
        "02:00",
    ]


def test_hour_that_spring_left_out_is_refused(write):
    path = write(at("2024-03-31T02:30", "2024-03-31T03:30"))
    with pytest.raises(MarketFileError) as refusal:
        read_candles(path, "Europe/Athens")
    assert str(refusal.value) == (
        f"{path}, line 3: 2024-03-31T03:30:00 never was on the clock Europe/Athens; "
        "check the time zone that you gave"
    )


@pytest.mark.parametrize("name", ["Mars/Olympus", "+99:00", "../etc/passwd", ""])
def test_unknown_timezone_is_refused(write, name):
    with pytest.raises(MarketFileError, match="is no time zone; give utc, server-eu"):
        read_candles(write(ISO_HEADER + FIRST), name)


def test_spread_of_whole_numbers_is_points_and_otherwise_price(write):
    header = ISO_HEADER.replace("volume", "volume,spread")
    points = read_candle_file(write(f"{header}{FIRST.strip()},12\n"))
    price = read_candle_file(write(f"{header}{FIRST.strip()},0.35\n{SECOND.strip()},1\n"))
    floats = read_candle_file(write(f"{header}{FIRST.strip()},12.0\n"))
    none = read_candle_file(write(ISO_HEADER + FIRST))
    assert (points.spread.tolist(), points.spreads(GOLD).tolist()) == ([12.0], [0.12])
    assert floats.spreads(GOLD).tolist() == [0.12]
    assert price.spreads(GOLD).tolist() == [0.35, 1.0]
    assert (none.spread, none.spreads(GOLD).tolist()) == (None, [0.30])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", " is empty; export it again"),
        ("\n\n", " is empty; export it again"),
        (ISO_HEADER, " has a header but no candles; export it again"),
        (
            FIRST + SECOND,
            ", line 1 is '2024-01-02T00:00:00Z,2062.5,2066.1,2061.9,2065.0,1200'",
        ),
        (
            "timestamp,open,high,low,close\n1,1,1,1,1\n",
            " has no column volume; the header",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", ", line 1 is not text in UTF-8; export the file as"),
        (ISO_HEADER.encode() + b"\xff\xfa", ", line 2 is not text in UTF-8; export the file as"),
        pytest.param(
            gzip.compress(FIRST.encode() * 99, mtime=0)[:-20],
            " is cut off: its compressed stream ends in the middle; copy",
            id="gzip cut off",
        ),
        (b"\x1f\x8bnot gzip at all", " is damaged: its compressed stream does not unpack; copy or"),
        (
            ISO_HEADER + FIRST.replace("2065.0", "abc"),
            ", line 2: 'abc' in column close is not",
        ),
        (ISO_HEADER + FIRST.replace("2065.0", "nan"), ", line 2: a price is not a number;"),
        (ISO_HEADER + FIRST.replace("2065.0", "inf"), ", line 2: a price is not a number;"),
        (ISO_HEADER + FIRST.replace("2065.0", ""), ", line 2: a price is missing; correct"),
        (
            ISO_HEADER + FIRST + "\n2024-01-02T01:00:00Z,2065\n",
            ", line 4: 2 columns where",
        ),
        (ISO_HEADER + FIRST + "01:00,1,1,1,1,1\n", ", line 3: '01:00' is not a time; correct"),
        (
            ISO_HEADER + FIRST.replace("1200", "True"),
            ", line 2: 'True' in column volume is",
        ),
        (
            ISO_HEADER + FIRST.replace("2066.1", "1e308"),
            ", line 2: a price is above 1,000,",
        ),
        (ISO_HEADER + FIRST.replace("2066.1", "2061"), ", line 2: high is below low; correct or"),
        (ISO_HEADER + FIRST.replace("2062.5", "2061"), ", line 2: the open and the close"),
        (ISO_HEADER + FIRST.replace("2062.5", "2067"), ", line 2: the open and the close"),
        (ISO_HEADER + FIRST.replace("2061.9", "-1"), ", line 2: a price is not a positive"),
        (ISO_HEADER + FIRST.replace("1200", "-1"), ", line 2: volume is below zero"),
        (ISO_HEADER + FIRST + FIRST, ", line 3: its time is that of the candle before; remove one"),
        (ISO_HEADER + SECOND + FIRST, ", line 3: its time is before that of the candle before;"),
    ],
)
def test_unsound_file_is_refused_in_one_sentence(write, text, sentence):
    path = write(text)
    with pytest.raises(MarketFileError) as refusal:
        read_candles(path)
    assert str(refusal.value).startswith(f"{path}{sentence}")
    assert "\n" not in str(refusal.value)


def test_missing_file_and_directory_are_refused(tmp_path):
    with pytest.raises(MarketFileError, match=r"none\.csv does not exist; check the path"):
        read_candles(tmp_path / "none.csv")
    with pytest.raises(MarketFileError, match="is a directory"):
        read_candles(tmp_path)


def test_line_with_too_many_fields_is_refused(write):
    with pytest.raises(MarketFileError, match="line 3: 9 columns where the header has 6"):
        read_candles(write(ISO_HEADER + FIRST + SECOND.strip() + ",1,2,3\n"))


WORDS = st.sampled_from(
    [
        *("timestamp", "timestamp_ms", "time", "date", "open", "high", "low", "close", "volume"),
        *("spread", "bid", "ask", "Gmt time", "2024-01-08T00:00:00Z", "2024.01.08", "1704672000"),
        *("1704672000000", "2050.5", "2051", "nan", "1e400", "-1", '"2,050.5"', '"', "\x00", "é"),
        *(
            "\ud800",
            "",
            "08.01.2024 00:00:00.000 GMT+0200",
            "99999999999999999999",
            "2024-03-31 03:30",
        ),
    ]
)
ROWS = st.lists(st.lists(WORDS, max_size=7), max_size=6)


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r", "\r\n"]), st.booleans())
def test_whatever_a_file_holds_is_read_or_refused_in_one_printable_sentence(
    tmp_path_factory, rows, delimiter, line_end, with_header
):
    path = tmp_path_factory.mktemp("fuzz") / "XAUUSD.csv"
    header = [["timestamp", "open", "high", "low", "close", "volume"]] if with_header else []
    text = line_end.join(delimiter.join(row) for row in [*header, *rows])
    path.write_bytes(text.encode(errors="surrogatepass"))
    for read in (read_candle_file, check_ticks):
        sentence = refusal_of(read, path)
        assert sentence == "" or (sentence.isprintable() and sentence.startswith(str(path)))


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_no_traceback(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "XAUUSD.csv"
    path.write_bytes(content)
    for read in (read_candle_file, check_ticks):
        with pytest.raises(MarketFileError) as refusal:
            read(path)
        assert str(refusal.value).isprintable()


def refusal_of(read, path: Path) -> str:
    try:
        read(path, source_timezone="server-eu")
    except MarketFileError as refusal:
        return str(refusal)
    return ""


def check_ticks(path: Path, **options: str) -> None:
    for _ in read_ticks(path, symbol="XAUUSD", **options):
        pass
