"""`manage.py smc` prints what the detectors find, and says in one sentence what it cannot read."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

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


def test_page_says_what_was_found(three_candles):
    printed = smc(three_candles, "--symbol", "XAUUSD", "--timeframe", "M15")
    assert "XAUUSD M15: 3 candles, 2024-01-02T00:30:00Z closed at 12.40" in printed
    assert "1 fair value gaps" in printed


def test_unreadable_file_is_one_sentence_and_exit_code_2(tmp_path):
    with pytest.raises(CommandError) as refusal:
        smc(tmp_path / "none.csv", "--symbol", "XAUUSD", "--timeframe", "M15", "--json")
    assert refusal.value.returncode == 2
    assert str(refusal.value) == f"{tmp_path / 'none.csv'} does not exist; check the path."
