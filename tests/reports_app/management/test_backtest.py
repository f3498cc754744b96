"""`manage.py backtest`: what it prints, and one sentence for what it cannot use."""

import gzip
import json
import re
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

from signals_app.market.aggregation import aggregate
from signals_app.market.calendar import iso
from signals_app.market.candle import Timeframe
from tests.reports_app.backtest.markets import wandering_ticks

EAGER = ["--set", "threshold=55", "--set", "warm_up_candles=10"]


def backtest(*arguments: str | Path) -> str:
    out = StringIO()
    call_command(
        "backtest", "--symbol", "XAUUSD", *map(str, arguments), stdout=out, stderr=StringIO()
    )
    return out.getvalue()


@pytest.fixture(scope="module")
def ticks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backtest") / "ticks.csv.gz"
    rows = (f"{t.time_ms},{t.bid:.5f},{t.ask:.5f}" for t in wandering_ticks())
    with gzip.open(path, "wt") as file:
        file.write("\n".join(["timestamp_ms,bid,ask", *rows]) + "\n")
    return path


def write_candles(path: Path, timeframe: Timeframe) -> Path:
    _, closed = aggregate({}, wandering_ticks())
    rows = (
        f"{iso(c.candle.time_ms)},{c.candle.open},{c.candle.high},{c.candle.low},"
        f"{c.candle.close},{c.candle.volume:.0f}"
        for c in closed
        if c.timeframe is timeframe
    )
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path


def test_json_has_signals_and_trades_in_one_order(ticks_file: Path) -> None:
    printed = json.loads(backtest("--ticks", ticks_file, "--json", *EAGER))

    ids = [signal["signal_id"] for signal in printed["signals"]]
    assert len(ids) > 5
    assert [trade["signal_id"] for trade in printed["trades"]] == ids
    assert ids == sorted(ids)
    assert printed["performance"]["total_signals"] == len(ids)
    assert sum(found["total_signals"] for found in printed["by"]["direction"].values()) == len(ids)
    assert printed["decisions"] == len(ids) + sum(printed["refusals"].values())


def test_the_report_says_what_was_assumed_and_what_came_of_it(ticks_file: Path) -> None:
    report = backtest("--ticks", ticks_file, *EAGER)

    assert "XAUUSD, 2024-01-08T00:00:00.137Z to 2024-01-12T23:59:00.137Z" in report
    assert "read as: times are Unix milliseconds, UTC" in report
    assert "BELOW_THRESHOLD" in report
    assert {"all", "BUY", "SELL"} <= {line.split(" ")[0] for line in report.splitlines()}


def test_candles_serve_where_there_are_no_ticks(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)

    report = backtest("--candles", path, *EAGER)

    assert "the spread is 0.3" in report
    assert "the stop came first" in report


def test_minute_candles_are_four_ticks_each(tmp_path: Path) -> None:
    path = tmp_path / "minutes.csv"
    rows = "".join(f"2024-01-08T10:{n:02}:00Z,2000,2001,1999,2000.5,4\n" for n in range(30))
    path.write_text("timestamp,open,high,low,close,volume\n" + rows)

    printed = json.loads(backtest("--candles", path, "--json"))

    assert (printed["ticks"], printed["candles"]["M15"]) == (120, 1)
    assert "No minute held a trade's stop and its target." in backtest("--candles", path)


def test_a_span_is_read_to_the_end_of_its_last_day(ticks_file: Path) -> None:
    span = ["--from", "2024-01-10", "--to", "2024-01-10", "--json"]
    printed = json.loads(backtest("--ticks", ticks_file, *span, *EAGER))

    assert {signal["timestamp"][:10] for signal in printed["signals"]} == {"2024-01-10"}
    assert printed["ticks"] == 3 * 1440
    assert printed["decisions"] == 96


def test_history_before_the_file_warms_the_windows_up(ticks_file: Path, tmp_path: Path) -> None:
    # The same days as history end before their own last day begins.
    for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        write_candles(tmp_path / f"XAUUSD_{timeframe}.csv", timeframe)
    later = tmp_path / "later.csv"
    rows = "".join(f"{t.time_ms + 7 * 86_400_000},{t.bid},{t.ask}\n" for t in wandering_ticks(1))
    later.write_text("timestamp_ms,bid,ask\n" + rows)

    without = json.loads(backtest("--ticks", later, "--json", *EAGER))
    with_history = json.loads(backtest("--ticks", later, "--history", tmp_path, "--json", *EAGER))

    assert without["refusals"]["WARMING_UP"] == 95
    assert "WARMING_UP" not in with_history["refusals"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ticks", "nowhere.csv"], "nowhere.csv"),
        (["--candles", "nowhere.csv"], "nowhere.csv does not exist"),
        (["--candles", "{h1}"], "no candles of M15 or shorter"),
        (["--candles", "{h1}", "--history", "nowhere"], "The history nowhere does not exist"),
        (["--candles", "{h1}", "--history", "{empty}"], "holds no file named like XAUUSD_M15"),
        (["--candles", "{h1}", "--history", "{twice}"], "holds XAUUSD_H4.csv and XAUUSD_H4.csv.gz"),
        (["--candles", "{h1}", "--set", "luck=1"], "There is no parameter 'luck'"),
        (["--candles", "{h1}", "--set", "threshold=high"], "'threshold=high' is not a name"),
        (["--candles", "{h1}", "--set", "threshold=nan"], "threshold must be a number, not nan"),
        (["--candles", "{h1}", "--set", "slippage_pips=-5"], "slippage_pips must be from 0 to"),
        (["--candles", "{h1}", "--set", "take_profit_1_r=3"], "must not be above take_profit_2_r"),
        (["--candles", "{h1}", "--source-timezone", "Mars"], "'Mars' is no time zone"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_exit_2(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "twice").mkdir()
    for name in ("XAUUSD_H4.csv", "XAUUSD_H4.csv.gz"):
        (tmp_path / "twice" / name).touch()
    h1 = write_candles(tmp_path / "XAUUSD_H1.csv", Timeframe.H1)
    filled = [
        text.format(h1=h1, empty=tmp_path / "empty", twice=tmp_path / "twice") for text in arguments
    ]

    with pytest.raises(CommandError) as refused:
        backtest(*filled)

    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 2


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(CommandError, match="FOO is no instrument") as refused:
        call_command("backtest", "--symbol", "FOO", "--ticks", "x.csv")

    assert refused.value.returncode == 2


@pytest.fixture(autouse=True)
def own_count_of_variants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_json_says_what_chance_does_and_repeats_itself(ticks_file: Path) -> None:
    arguments = ("--ticks", ticks_file, "--json", "--set", "zone_memory_hours=1", *EAGER)
    printed = json.loads(backtest(*arguments))

    assert printed["performance"]["closed_trades"] >= 10
    assert printed["monte_carlo"]["draws"] == 5000
    assert printed["random_entries"]["trades"] == printed["performance"]["closed_trades"]
    assert 0 <= printed["random_entries"]["at_least_as_good"] <= 1
    assert printed["equity"][-1]["balance"] == pytest.approx(
        printed["starting_balance"] + printed["performance"]["total_profit_loss"]
    )
    assert printed["verdict"][0].startswith("In short: it ")
    assert json.loads(backtest(*arguments)) == printed


def test_random_entries_pay_what_the_signals_pay(ticks_file: Path) -> None:
    arguments = ("--ticks", ticks_file, "--json", "--set", "zone_memory_hours=1", *EAGER)
    free = json.loads(backtest(*arguments))["random_entries"]
    paid = json.loads(backtest(*arguments, "--set", "commission_per_lot=100"))["random_entries"]

    assert free["r"] - paid["r"] > 0.3
    assert free["random_r"]["middle"] - paid["random_r"]["middle"] > 0.3


def test_every_new_setting_counts_as_a_variant_and_the_same_again_does_not(
    ticks_file: Path,
) -> None:
    def tried(*settings: str) -> int:
        return json.loads(backtest("--ticks", ticks_file, "--json", *settings))["variants_tried"]

    assert [tried(*EAGER), tried(*EAGER), tried(), tried("--set", "threshold=81")] == [1, 1, 2, 3]


def test_the_page_needs_nothing_from_elsewhere(ticks_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"

    report = backtest("--ticks", ticks_file, "--html", path, *EAGER)

    page = path.read_text()
    assert f"The page is in {path}." in " ".join(report.split())
    assert page.count("<svg") >= 4
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)
    for chart in re.findall("<svg.*?</svg>", page):
        assert "nan" not in chart
        ET.fromstring(chart)


def test_a_page_of_nothing_is_a_page_too(ticks_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"

    backtest("--ticks", ticks_file, "--html", path)

    assert "No trade was closed" in path.read_text()


def test_a_ruined_account_is_called_so(ticks_file: Path, tmp_path: Path) -> None:
    reckless = ["--set", "risk_percentage=100", "--set", "slippage_pips=20"]
    reckless += ["--set", "daily_loss_percentage=100", "--set", "zone_memory_hours=1"]
    path = tmp_path / "report.html"

    report = backtest("--ticks", ticks_file, "--html", path, *EAGER, *reckless)
    printed = json.loads(backtest("--ticks", ticks_file, "--json", *EAGER, *reckless))

    assert re.search(r"RUINED: on \d\d January 2024 the account had lost all of its 10,000", report)
    assert "An account that was ruined is not drawn again." in report
    assert min(each["balance"] for each in printed["equity"]) == 0.0
    assert (printed["ruined"][:7], printed["monte_carlo"]) == ("2024-01", None)
    assert printed["maximum_drawdown_percentage"] == 100.0
    assert '<div class="figure bad">ruined</div>' in path.read_text()


def test_a_page_that_cannot_be_written_is_one_sentence(ticks_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written") as refused:
        backtest("--ticks", ticks_file, "--html", tmp_path / "nowhere" / "report.html")

    assert refused.value.returncode == 2
