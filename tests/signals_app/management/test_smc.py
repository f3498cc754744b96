"""`manage.py smc` prints what the detectors find, and says in one sentence what it cannot read."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from signals_app.market.candle import Timeframe
from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind
from signals_app.smc.measures import Bias
from tests.signals_app.probability.stored import RETEST, store

HEADER = "timestamp,open,high,low,close,volume\n"
GAP = (
    "2024-01-02T00:00:00Z,10.2,10.8,10.0,10.6,100\n"
    "2024-01-02T00:15:00Z,10.6,12.0,10.5,11.9,100\n"
    "2024-01-02T00:30:00Z,11.9,12.6,11.3,12.4,100\n"
)


@pytest.fixture
def three_candles(tmp_path: Path) -> Path:
    path = tmp_path / "candles.csv"
    path.write_text(HEADER + GAP)
    return path


def smc(*arguments: object) -> str:
    out = io.StringIO()
    call_command("smc", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_json_is_one_object_in_the_exchange_format(three_candles):
    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15", "--json")
    assert json.loads(printed) == {
        "symbol": "XAUUSD",
        "timeframe": "M15",
        "candles": 3,
        "swings": [],
        "fvgs": [
            {
                "index": 2,
                "direction": "bullish",
                "top": 11.3,
                "bottom": 10.8,
                # ATR 1.15, so 0.6 * 0.5/1.15; body 1.3 of 1.5; usual volume gives half of 0.15.
                "strength": pytest.approx(100 * (0.6 * 0.5 / 1.15 + 0.25 * 1.3 / 1.5 + 0.15 / 2)),
                "touched_at": None,
                "filled_at": None,
                "fill": 0.0,
            }
        ],
        "order_blocks": [],
        "structure": [],
        "pools": [],
        "sweeps": [],
        "trend": "none",
        "trend_strength": 0.0,
        "position": None,
    }


@pytest.mark.django_db
def test_page_says_what_was_found(three_candles):
    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15")
    assert "XAUUSD M15: 3 candles, 2024-01-02T00:30:00Z closed at 12.40" in printed
    assert "1 fair value gaps" in printed


@pytest.mark.django_db
def test_page_says_what_such_a_gap_was_worth_beside_random_entries(three_candles):
    gap = Bucket(EventType.FVG, MeasuredEventKind.RETEST, Bias.BULLISH, 1)
    store(replace(RETEST, bucket=gap, score_above=None), timeframe=Timeframe.M15)

    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15")

    (row,) = [line for line in printed.splitlines() if "bullish" in line]
    cells = [cell.strip() for cell in row.split("│")]
    assert cells[-4:-1] == ["54% [49-59]", "812", "50%"]
    assert "Probabilities, measured on data until 2024-01-01: how often +1 R came" in printed


@pytest.mark.django_db
def test_what_nobody_measured_before_the_last_candle_is_said_to_be_unmeasured(three_candles):
    gap = Bucket(EventType.FVG, MeasuredEventKind.RETEST, Bias.BULLISH, 1)
    later_ms = 1_704_240_000_000
    store(replace(RETEST, bucket=gap), timeframe=Timeframe.M15, until_ms=later_ms)

    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15")

    assert "not measured" in next(line for line in printed.splitlines() if "bullish" in line)
    assert "no calibration of XAUUSD M15 is on data that ended before the last candle" in printed


def test_without_a_database_the_page_still_says_what_was_found(
    three_candles, tmp_path, monkeypatch, settings
):
    monkeypatch.delenv("DATABASE_URL")
    settings.DATA_DIR = tmp_path / "nothing"

    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15")

    assert "1 fair value gaps" in printed
    assert "Probabilities are not measured here: There is no stack's data in" in printed
    with pytest.raises(CommandError, match="There is no stack's data in"):
        smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15", "--data-dir", tmp_path)


def test_unreadable_file_is_one_sentence_and_exit_code_2(tmp_path):
    with pytest.raises(CommandError) as refusal:
        smc(tmp_path / "none.csv", "--symbol", "XAUUSD", "--timeframe", "M15", "--json")
    assert refusal.value.returncode == 2
    assert str(refusal.value) == f"{tmp_path / 'none.csv'} does not exist; check the path"


def hours_of_four(path: Path, first_hour: int) -> Path:
    rows = (
        f"2024-01-{2 + (first_hour + 4 * n) // 24:02d}T{(first_hour + 4 * n) % 24:02d}:00:00Z,"
        "10,11,9,10,1\n"
        for n in range(12)
    )
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.mark.parametrize(("first_hour", "says"), [(2, True), (0, False)])
def test_four_hours_of_a_brokers_clock_are_taken_as_they_are_and_told(tmp_path, first_hour, says):
    path = hours_of_four(tmp_path / "h4.csv", first_hour)
    out, told = io.StringIO(), io.StringIO()
    options = ("--symbol=XAUUSD", "--timeframe=H4", "--json")
    call_command("smc", str(path), *options, stdout=out, stderr=told)
    assert json.loads(out.getvalue())["candles"] == 12
    sentence = (
        "h4.csv holds H4 of a broker's clock (the first opens at 2024-01-02T02:00:00Z), which is "
        "taken as it is; live, history and backtests have H4 on UTC's grid."
    )
    assert told.getvalue().strip() == (sentence if says else "")
