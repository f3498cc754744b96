"""`manage.py candles`: ticks to candles without a database."""

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

HEADER = "timestamp_ms,bid,ask\n"
NOON = 1_704_456_000_000
QUARTER = 900_000


def ticks(path: Path, *rows: tuple[int, float]) -> Path:
    lines = [f"{time_ms},{bid},{round(bid + 0.3, 5)}" for time_ms, bid in rows]
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("candles", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_closed_candles_are_printed_and_the_forming_one_is_not(tmp_path: Path) -> None:
    path = ticks(
        tmp_path / "ticks.csv",
        (NOON, 2000.0),
        (NOON + 60_000, 2002.5),
        (NOON + 120_000, 1999.1),
        (NOON + QUARTER, 2001.0),
        (NOON + 3 * QUARTER, 2003.0),
    )
    first = {
        "time": "2024-01-05T12:00:00Z",
        "open": 2000.0,
        "high": 2002.5,
        "low": 1999.1,
        "close": 1999.1,
        "volume": 3,
    }
    second = {
        "time": "2024-01-05T12:15:00Z",
        "open": 2001.0,
        "high": 2001.0,
        "low": 2001.0,
        "close": 2001.0,
        "volume": 1,
    }
    arguments = (path, "--symbol", "XAUUSD", "--timeframe", "M15", "--json")
    assert json.loads(run(*arguments)) == [first, second]
    with_forming = json.loads(run(*arguments, "--include-forming"))
    assert [candle["time"] for candle in with_forming] == [
        "2024-01-05T12:00:00Z",
        "2024-01-05T12:15:00Z",
        "2024-01-05T12:45:00Z",
    ]


def test_a_table_is_printed_without_json(tmp_path: Path) -> None:
    path = ticks(tmp_path / "ticks.csv", (NOON, 2000.0), (NOON + QUARTER, 2001.0))
    table = run(path, "--symbol", "XAUUSD", "--timeframe", "m15").splitlines()
    assert table[0].split() == ["time", "open", "high", "low", "close", "volume"]
    assert table[1].split() == ["2024-01-05T12:00:00Z", *["2000.00000"] * 4, "1"]


def test_a_tick_that_jumps_is_left_out_as_the_gateway_leaves_it_out(tmp_path: Path) -> None:
    path = ticks(
        tmp_path / "ticks.csv", (NOON, 2000.0), (NOON + 1000, 4000.0), (NOON + QUARTER, 2001.0)
    )
    (candle,) = json.loads(run(path, "--symbol", "XAUUSD", "--timeframe", "M15", "--json"))
    assert (candle["high"], candle["volume"]) == (2000.0, 1)


def test_candles_of_real_ticks_do_not_depend_on_how_the_file_is_read(
    shared: Path, tmp_path: Path
) -> None:
    source = shared / "data" / "XAUUSD_ticks_mt5-sample_2026-09-21.csv.gz"
    whole = run(source, "--symbol", "XAUUSD", "--timeframe", "M15", "--json", "--include-forming")
    plain = tmp_path / "plain.csv"
    plain.write_bytes(gzip.decompress(source.read_bytes()))
    assert json.loads(whole) == json.loads(
        run(plain, "--symbol", "XAUUSD", "--timeframe", "M15", "--json", "--include-forming")
    )
    assert sum(candle["volume"] for candle in json.loads(whole)) == 120


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEADER,
        HEADER + f"{NOON},nan,2000.3\n",
        HEADER + f"{NOON},2000.3,2000.0\n",
        HEADER + f"{NOON},gold,2000.0\n",
        HEADER + f"{NOON},-1,2000.0\n",
        "what,is,this\n1,2,3\n",
    ],
)
def test_a_bad_file_is_one_sentence_and_exit_code_2(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text(content)
    with pytest.raises(CommandError) as refused:
        run(path, "--symbol", "XAUUSD", "--timeframe", "M15", "--json")
    assert refused.value.returncode == 2
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_cut_gz_are_refused_too(tmp_path: Path) -> None:
    cut = tmp_path / "ticks.csv.gz"
    many = HEADER + "".join(f"{NOON + n},2000.{n % 97:02},2001\n" for n in range(5000))
    cut.write_bytes(gzip.compress(many.encode())[:-200])
    for path in (tmp_path / "none.csv", cut):
        with pytest.raises(CommandError) as refused:
            run(path, "--symbol", "XAUUSD", "--timeframe", "H1")
        assert refused.value.returncode == 2
