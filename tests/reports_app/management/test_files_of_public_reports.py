"""Files as people reported them to other programs: read as they are meant, or refused by line.

Each has neighbours of its kind beside it. Commands are called as a user calls them.
"""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from signals_app.models import Instrument
from tests.paths import ROOT

MONDAY = datetime(2024, 1, 8, tzinfo=UTC)
HEADER = "timestamp,open,high,low,close,volume"
TICKS = ((0, 2050.0), (300, 2052.0), (900, 2051.0))
FIRST_CANDLE = {
    "time": "2024-01-08T00:00:00Z",
    "open": 2050.0,
    "high": 2052.0,
    "low": 2050.0,
    "close": 2052.0,
    "volume": 2,
}


def run(*arguments: object) -> str:
    out, err = StringIO(), StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=err)
    return out.getvalue()


def refusal(*arguments: object) -> str:
    """The sentence of a command that refuses what it is given."""
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert refused.value.returncode == 2
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.isprintable()
    return sentence


def candles(path: Path, *options: object, symbol: str = "XAUUSD", timeframe: str = "M15") -> list:
    named = ("--symbol", symbol, "--timeframe", timeframe, "--json", "--include-forming")
    return json.loads(run("candles", path, *named, *options))


def write(path: Path, *lines: str, encoding: str = "utf-8", line_end: str = "\n") -> Path:
    path.write_bytes((line_end.join(lines) + line_end).encode(encoding))
    return path


def opening(minutes: float) -> str:
    return f"{MONDAY + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def rows(count: int, step: float, begin: float = 0) -> list[str]:
    """Candles ``step`` minutes apart that go up and down a little."""
    return [
        f"{opening(begin + place * step)},{2050 + place % 7},{2054 + place % 7},{2049 + place % 7},"
        f"{2050 + place % 7 + place % 3},60"
        for place in range(count)
    ]


class TestTimesInOtherUnits:
    @pytest.mark.parametrize("column", ["timestamp_ms", "timestamp", "time", "time_msc"])
    @pytest.mark.parametrize("factor", [1, 1000, 10**6, 10**9])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_the_number_of_digits_says_the_unit_whatever_the_column_is_called(
        self, tmp_path: Path, column: str, factor: int, line_end: str
    ) -> None:
        lines = [
            f"{(int(MONDAY.timestamp()) + second) * factor},{bid},{bid + 0.3}"
            for second, bid in TICKS
        ]
        path = write(tmp_path / "ticks.csv", f"{column},bid,ask", *lines, line_end=line_end)
        assert candles(path)[0] == FIRST_CANDLE

    def test_two_units_in_one_file_are_refused_by_line_and_unit(self, tmp_path: Path) -> None:
        lines = ["1704672000000,2050.00,2050.30", "1704672300,2052.00,2052.30"]
        path = write(tmp_path / "ticks.csv", "timestamp_ms,bid,ask", *lines)
        sentence = refusal("candles", path, "--symbol=XAUUSD", "--timeframe=M15")
        assert "line 3: the time 1704672300 counts seconds, and those before" in sentence

    def test_candles_may_have_numbers_for_times_too(self, tmp_path: Path) -> None:
        seconds = [f"{int(MONDAY.timestamp()) + 900 * n},1,2,1,2,5" for n in range(3)]
        path = write(tmp_path / "m15.csv", HEADER.replace("timestamp", "time"), *seconds)
        printed = run("smc", path, "--symbol=XAUUSD", "--timeframe=M15", "--json")
        assert json.loads(printed)["candles"] == 3


class TestPipes:
    def test_a_named_pipe_is_read_once(self, tmp_path: Path) -> None:
        lines = [
            f"{int(MONDAY.timestamp()) + second}000,{bid},{bid + 0.3}" for second, bid in TICKS
        ]
        file = write(tmp_path / "ticks.csv", "timestamp_ms,bid,ask", *lines)
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=lambda: pipe.write_bytes(file.read_bytes()), daemon=True)
        writer.start()
        assert candles(pipe) == candles(file)
        writer.join()

    def test_backtest_and_candles_take_what_a_shell_hands_over(self, tmp_path: Path) -> None:
        path = write(tmp_path / "m1.csv", HEADER, *rows(40, 1))
        for command in (
            "backtest --symbol XAUUSD --json --ticks",
            "backtest --symbol XAUUSD --json --candles",
        ):
            done = subprocess.run(
                ["bash", "-c", f"{sys.executable} manage.py {command} <(cat {path})"],
                cwd=ROOT,
                env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["ticks"] == 160


class TestDukascopy:
    M1 = (
        "Gmt time,Open,High,Low,Close,Volume",
        "08.01.2024 00:00:00.000,2050.00,2050.60,2049.99,2050.39,303",
        "08.01.2024 00:01:00.000,2050.39,2050.40,2049.99,2050.16,244",
    )

    def test_its_minutes_are_read_by_every_command_and_are_utc(self, tmp_path: Path) -> None:
        path = write(tmp_path / "m1.csv", *self.M1)
        for zone in ("utc", "server-eu", "-05:00"):
            (candle,) = candles(path, f"--source-timezone={zone}")
            assert (candle["time"], candle["volume"]) == ("2024-01-08T00:00:00Z", 8)
            options = ("--symbol=XAUUSD", "--json", f"--source-timezone={zone}")
            assert json.loads(run("backtest", *options, "--candles", path))["ticks"] == 8

    def test_its_ticks_are_utc_whatever_zone_is_given(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "ticks.csv",
            "Gmt time,Ask,Bid",
            "2024.01.08 00:00:00.000,2050.3,2050",
            "2024.01.08 00:20:00.000,2051.3,2051",
        )
        found = candles(path, "--source-timezone=server-eu")
        assert [candle["time"][11:16] for candle in found] == ["00:00", "00:15"]

    def test_local_time_with_its_offset_is_what_it_says(self, tmp_path: Path) -> None:
        lines = [line.replace(".000,", ".000 GMT+0200,") for line in self.M1[1:]]
        path = write(tmp_path / "m1.csv", self.M1[0].replace("Gmt", "Local"), *lines)
        assert candles(path, "--source-timezone=server-us")[0]["time"] == "2024-01-07T22:00:00Z"


@pytest.mark.parametrize("zone", ["-05:00", "-0500", "-5", "UTC-5", "gmt-05:00"])
def test_an_offset_west_of_utc_needs_no_equals_sign(tmp_path: Path, zone: str) -> None:
    path = write(tmp_path / "m1.csv", HEADER, *(row.replace("Z,", ",") for row in rows(2, 1)))
    assert candles(path, "--source-timezone", zone)[0]["time"] == "2024-01-08T05:00:00Z"


class TestRepeatedRows:
    @pytest.mark.parametrize("twin", ["2050,2053,2049,2051,60", "2050,2057,2049,2051,60"])
    @pytest.mark.parametrize("command", ["candles", "--ticks", "--candles"])
    def test_a_minute_that_stands_there_twice_is_refused_by_line(
        self, tmp_path: Path, twin: str, command: str
    ) -> None:
        lines = rows(5, 1)
        path = write(tmp_path / "m1.csv", HEADER, *lines[:3], f"{opening(2)},{twin}", *lines[3:])
        if command == "candles":
            sentence = refusal("candles", path, "--symbol=XAUUSD", "--timeframe=M15")
        else:
            sentence = refusal("backtest", "--symbol=XAUUSD", command, path)
        assert "m1.csv, line 5: its time is that of the candle before; remove one" in sentence


def test_the_hour_that_happens_twice_is_two_hours_for_every_command(tmp_path: Path) -> None:
    # 27 October 2024 in Athens: the clock shows 03:00 to 03:59 twice.
    clock = [f"2024.10.27\t03:{minute:02}:00" for minute in range(60)] * 2
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    lines = [f"{time}\t2700\t2701\t2699\t2700\t9\t0\t20" for time in clock]
    path = write(tmp_path / "m1.csv", header, *lines)
    found = candles(path, "--source-timezone=server-eu")
    assert [candle["time"][11:16] for candle in found] == [
        f"{hour:02}:{minute:02}" for hour in (0, 1) for minute in (0, 15, 30, 45)
    ]
    assert {candle["volume"] for candle in found} == {60}
    options = ("--symbol=XAUUSD", "--json", "--source-timezone=server-eu")
    assert json.loads(run("backtest", "--candles", path, *options))["ticks"] == 480


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\n\n"])
def test_encodings_and_line_ends_do_not_matter(
    tmp_path: Path, encoding: str, line_end: str
) -> None:
    expected = candles(write(tmp_path / "plain.csv", HEADER, *rows(20, 1)))
    odd = write(tmp_path / "odd.csv", HEADER, *rows(20, 1), encoding=encoding, line_end=line_end)
    assert candles(odd) == expected


class TestPrecision:
    def test_prices_of_eight_decimals_are_refused_by_line(self, tmp_path: Path) -> None:
        minutes = [f"{opening(n)},0.00002050,0.0000209,0.00002049,0.00002076,303" for n in range(3)]
        quotes = ["1704672000000,0.00002050,0.00002052"]
        m1 = write(tmp_path / "m1.csv", HEADER, *minutes)
        ticks = write(tmp_path / "ticks.csv", "timestamp_ms,bid,ask", *quotes)
        what = "line 2: the price 0.0000205 has more than the 5 decimals that are kept"
        assert what in refusal("smc", m1, "--symbol=SHIBUSD", "--timeframe=M1")
        assert what in refusal("candles", ticks, "--symbol=XAUUSD", "--timeframe=M15")
        assert what in refusal("backtest", "--symbol=XAUUSD", "--candles", m1)

    @pytest.mark.parametrize(
        ("form", "spread", "said"),
        [
            ("{:.3f}", "280", "points of 0.001"),
            ("{:.2f}", "28", "points of 0.01"),
            ("{:.2f}", "28.0", "points of 0.01"),
            ("{:.2f}", "280", "its median is 2.8, where 0.3 is usual"),
            ("{:.2f}", "0.28", "is in price"),
        ],
    )
    @pytest.mark.parametrize("step", [1, 15])
    def test_spreads_are_in_points_of_the_files_own_decimals(
        self, tmp_path: Path, form: str, spread: str, said: str, step: int
    ) -> None:
        lines = [
            f"{opening(n * step)},{form.format(2050 + n)},{form.format(2052 + n)},"
            f"{form.format(2049 + n)},{form.format(2051 + n)},9,{spread}"
            for n in range(8)
        ]
        path = write(tmp_path / "candles.csv", f"{HEADER},spread", *lines)
        report = " ".join(run("backtest", "--symbol=XAUUSD", "--candles", path).split())
        assert said in report
        assert ("ATTENTION" in report) == ("usual" in said)


class TestTimeframes:
    @pytest.mark.parametrize("said", ["M1", "M5", "M30", "H1", "H4", "D1"])
    def test_another_timeframe_than_the_option_says_is_refused(
        self, tmp_path: Path, said: str
    ) -> None:
        path = write(tmp_path / "m15.csv", HEADER, *rows(16, 15))
        sentence = refusal("smc", path, "--symbol=XAUUSD", f"--timeframe={said}")
        assert f"holds candles of M15, not of {said}: most of them are 15 minutes" in sentence

    def test_candles_off_the_grid_are_refused_by_line(self, tmp_path: Path) -> None:
        path = write(tmp_path / "m15.csv", HEADER, *rows(16, 15, begin=7))
        what = "line 2: it opens at 2024-01-08T00:07:00 UTC, where no candle of M15 opens"
        assert what in refusal("smc", path, "--symbol=EURUSD", "--timeframe=M15")
        assert what in refusal("backtest", "--symbol=EURUSD", "--candles", path)

    def test_a_history_is_of_the_timeframe_of_its_name(self, tmp_path: Path) -> None:
        m15 = write(tmp_path / "m15.csv", HEADER, *rows(16, 15))
        history = tmp_path / "history"
        history.mkdir()
        write(history / "XAUUSD_H4.csv", HEADER, *rows(16, 15, begin=-600))
        sentence = refusal("backtest", "--symbol=XAUUSD", "--candles", m15, f"--history={history}")
        assert "XAUUSD_H4.csv holds candles of M15, not of H4" in sentence

    def test_a_stray_row_does_not_make_another_timeframe(self, tmp_path: Path) -> None:
        lines = rows(40, 60)
        stray = write(tmp_path / "h1.csv", HEADER, *lines[:5], *rows(1, 1, begin=255), *lines[5:])
        for arguments in (
            ("backtest", "--symbol=XAUUSD", "--candles", stray),
            ("smc", stray, "--symbol=XAUUSD", "--timeframe=H1"),
        ):
            assert "h1.csv, line 7: it opens 15 minutes after the candle" in refusal(*arguments)
        clean = write(tmp_path / "clean.csv", HEADER, *lines)
        sentence = refusal("backtest", "--symbol=XAUUSD", "--candles", clean)
        assert "holds candles of H1 and no candles of M15 or shorter" in sentence

    def test_minutes_that_are_none_do_not_serve_as_ticks(self, tmp_path: Path) -> None:
        for step in (2, 5, 15, 60):
            path = write(tmp_path / "m.csv", HEADER, *rows(9, step))
            sentence = refusal("candles", path, "--symbol=XAUUSD", "--timeframe=M15")
            assert "not of M1: most of them are" in sentence

    def test_the_detectors_take_a_brokers_own_four_hours(self, tmp_path: Path) -> None:
        path = write(tmp_path / "h4.csv", HEADER, *rows(12, 240, begin=-120))
        printed = run("smc", path, "--symbol=XAUUSD", "--timeframe=H4", "--json")
        assert json.loads(printed)["candles"] == 12


class TestLastingMoves:
    """A file with a gap of years, or a devaluation."""

    def file(self, path: Path, gap: timedelta, count: int = 90) -> Path:
        before, after = rows(30, 1), []
        for place in range(count):
            time = MONDAY + timedelta(minutes=30 + place) + gap
            after.append(f"{time:%Y-%m-%dT%H:%M:%SZ},4050,4054,4049,4051,60")
        return write(path, HEADER, *before, *after)

    def test_after_years_all_ticks_count(self, tmp_path: Path) -> None:
        path = self.file(tmp_path / "m1.csv", timedelta(days=700))
        printed = json.loads(run("backtest", "--symbol=XAUUSD", "--json", "--candles", path))
        assert (printed["ticks"], printed["ticks_refused"]) == (480, 0)

    def test_a_move_that_lasts_costs_five_minutes_that_are_counted(self, tmp_path: Path) -> None:
        path = self.file(tmp_path / "m1.csv", timedelta())
        options = ("backtest", "--symbol=XAUUSD", "--candles", path)
        printed = json.loads(run(*options, "--json"))
        assert (printed["ticks"], printed["ticks_refused"]) == (480 - 19, 19)
        assert "left out: 19 ticks whose price jumps by over 20 %" in run(*options)
        found = candles(path)
        assert [(c["time"][11:16], c["high"], c["volume"]) for c in found[2:4]] == [
            ("00:30", 4054.0, 41),
            ("00:45", 4054.0, 60),
        ]


class TestSymbols:
    def test_candles_of_any_symbol_need_no_spread(self, tmp_path: Path) -> None:
        path = write(tmp_path / "m1.csv", HEADER, *rows(20, 1))
        gold = candles(path)
        for symbol in ("BTCUSD", "XAUUSD.m", "xauusd"):
            assert candles(path, symbol=symbol) == gold
        assert candles(path, "--digits=2", "--default-spread=0.5", symbol="BTCUSD") == gold
        assert "'X Y' is no symbol" in refusal("candles", path, "--symbol=X Y", "--timeframe=M15")

    def test_a_backtest_of_an_unknown_symbol_says_what_to_do(self, tmp_path: Path) -> None:
        path = write(tmp_path / "m1.csv", HEADER, *rows(20, 1))
        sentence = refusal("backtest", "--symbol=XAUUSD.m", "--candles", path)
        assert "XAUUSD.M is no instrument that is known here (is XAUUSD meant?)" in sentence
        assert sentence.endswith("With --instrument or --strategy live, those of the database are.")
        printed = run("backtest", "--symbol=xauusd", "--candles", path, "--default-spread=0.7")
        assert "the spread is 0.7" in printed

    @pytest.mark.django_db
    def test_an_instrument_of_the_database_is_taken(self, tmp_path: Path) -> None:
        row = Instrument.objects.get(symbol="XAUUSD")
        row.pk, row.signal_prefix, row.default_spread = "XAGUSD", "XAG", 0.04
        row.save()
        path = write(tmp_path / "m1.csv", HEADER, *rows(20, 1))
        printed = run("backtest", "--symbol=XAGUSD", "--instrument", "--candles", path)
        assert "the spread is 0.04" in printed
        assert candles(path, "--instrument", symbol="XAGUSD")
        sentence = refusal("candles", path, "--symbol=XAGUSD.r", "--timeframe=M15", "--instrument")
        assert "XAGUSD.R is no instrument that is known here (is XAGUSD meant?)" in sentence
