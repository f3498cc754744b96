import gzip

import pytest

from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.history import aggregate, build_history, read_history
from mt5_bridge.protocol.wire import CandleRow, History

NOON = 1_704_456_000_000  # 2024-01-05T12:00:00Z
QUARTER, HOUR = 900_000, 3_600_000

M15 = (
    "timestamp,open,high,low,close,volume\n"
    "2024-01-05T11:30:00Z,10,12,9,11,5\n"
    "2024-01-05T11:45:00Z,11,13,10,12,6\n"
    "2024-01-05T12:00:00Z,12,14,11,13,7\n"
)


def test_a_directory_gives_each_timeframe_as_far_as_it_had_closed(tmp_path):
    (tmp_path / "XAUUSD_M15.csv").write_text(M15)
    with gzip.open(tmp_path / "XAUUSD_H1.csv.gz", "wt") as file:
        file.write("timestamp,open,high,low,close\n2024-01-05T11:00:00Z,10,13,9,12\n")
    (tmp_path / "EURUSD_H4.csv").write_text("nothing of interest")
    assert read_history(tmp_path, "XAUUSD", before_ms=NOON) == [
        History(
            symbol="XAUUSD",
            timeframe="M15",
            rows=[
                CandleRow(NOON - 2 * QUARTER, 10, 12, 9, 11, 5),
                CandleRow(NOON - QUARTER, 11, 13, 10, 12, 6),
            ],
        ),
        History(symbol="XAUUSD", timeframe="H1", rows=[CandleRow(NOON - HOUR, 10, 13, 9, 12, 0)]),
    ]


def test_one_file_says_its_timeframe_by_its_name(tmp_path):
    path = tmp_path / "XAUUSD_M15_broker_SERVER-EU.csv"
    path.write_text(M15.replace("Z,", ","))
    (history,) = read_history(path, "XAUUSD", before_ms=NOON, source_timezone="server-eu")
    assert [row.time_ms for row in history.rows] == [
        NOON - 2 * HOUR - 2 * QUARTER,
        NOON - 2 * HOUR - QUARTER,
        NOON - 2 * HOUR,
    ]


def test_only_the_last_500_candles_are_taken(tmp_path):
    rows = [f"{NOON - (900 - place) * QUARTER},1,1,1,1,1\n" for place in range(900)]
    path = tmp_path / "XAUUSD_M15.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + "".join(rows))
    (history,) = read_history(path, "XAUUSD", before_ms=NOON)
    assert len(history.rows) == 500
    assert history.rows[-1].time_ms == NOON - QUARTER


def test_metatraders_export_is_read(tmp_path):
    path = tmp_path / "XAUUSD_H1.csv"
    path.write_text(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2024.01.05\t11:00:00\t10\t13\t9\t12\t77\t0\t5\n"
    )
    (history,) = read_history(path, "XAUUSD", before_ms=NOON)
    assert history.rows == [CandleRow(NOON - HOUR, 10, 13, 9, 12, 77)]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("XAUUSD.csv", M15, "does not say its timeframe"),
        ("XAUUSD_M15.csv", "", "is empty"),
        ("XAUUSD_M15.csv", "a,b\n1,2\n", "the header must be"),
        (
            "XAUUSD_M15.csv",
            M15.replace("11,13", "x,13"),
            "line 3: 'x' in column open is",
        ),
        ("XAUUSD_M15.csv", M15.replace("11,13,10", "11,11,10"), "line 3: the open and the close"),
        (
            "XAUUSD_M15.csv",
            M15.replace("11:45", "11:30"),
            "line 3: its time is that",
        ),
        ("XAUUSD_M15.csv.gz", M15, "is not gzip"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, name, text, what):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(MarketFileError, match=what):
        read_history(path, "XAUUSD", before_ms=NOON)


def test_a_directory_without_the_symbol_says_how_to_name_files(tmp_path):
    with pytest.raises(MarketFileError, match=r"name the files like XAUUSD_M15\.csv\.gz"):
        read_history(tmp_path, "XAUUSD", before_ms=NOON)


def test_longer_candles_are_joined_on_utc_boundaries():
    quarters = [
        CandleRow(NOON + place * QUARTER, 10 + place, 12 + place, 9 + place, 11 + place, 1)
        for place in range(5)
    ]
    assert aggregate(quarters, HOUR) == [
        CandleRow(NOON, 10, 15, 9, 14, 4),
        CandleRow(NOON + HOUR, 14, 16, 13, 15, 1),
    ]


def test_a_first_candle_without_its_beginning_is_left_out():
    quarters = [CandleRow(NOON + place * QUARTER, 1, 1, 1, 1, 1) for place in range(2, 9)]
    built = {h.timeframe: h.rows for h in build_history("XAUUSD", quarters, NOON + 3 * HOUR)}
    assert [row.time_ms for row in built["H1"]] == [NOON + HOUR, NOON + 2 * HOUR]
    assert built["H4"] == []
