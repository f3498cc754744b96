"""Pairs are traded live as in the backtest, byte for byte, and their records hold."""

import gzip
import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from tests.goldtrader.stack.commands import manage

pytestmark = [pytest.mark.e2e, pytest.mark.long]

_HOURS = 3600


def minutes_before(day, whole, mine):
    """Write a file's minutes before a day into one of its own."""
    with gzip.open(whole, "rt") as read, gzip.open(mine, "wt") as written:
        written.writelines(line for line in read if line.startswith("timestamp") or line < day)


def made_up_minutes(mine, days=30):
    """Write minutes that swing, trend and stand still, on the five-decimal grid."""
    at = datetime(2024, 1, 1, 22, tzinfo=UTC)
    price, noise = 1.34, 12345
    with gzip.open(mine, "wt") as written:
        written.write("timestamp,open,high,low,close,volume\n")
        for minute in range(days * 1440):
            moment = at + timedelta(minutes=minute)
            if moment.weekday() == 5 or (moment.weekday() == 6 and moment.hour < 22):
                continue
            noise = (noise * 1103515245 + 12345) % 2**31
            drift = math.sin(minute / 900) * 2e-5 + math.sin(minute / 7000) * 1e-5
            opened, price = price, round(price + drift + (noise / 2**30 - 1) * 1.5e-4, 5)
            high, low = max(opened, price) + 3e-5, min(opened, price) - 3e-5
            prices = f"{opened:.5f},{high:.5f},{low:.5f},{price:.5f}"
            written.write(f"{moment:%Y-%m-%dT%H:%M:%SZ},{prices},0\n")


def made_up_hours(mine, days=40):
    """Write hours of a pair whose price is another each day."""
    at = datetime(2023, 12, 26, tzinfo=UTC)
    with gzip.open(mine, "wt") as written:
        written.write("timestamp,open,high,low,close,volume\n")
        for hour in range(days * 24):
            price = f"{1.27 + 0.03 * math.sin(hour / 50):.5f}"
            moment = at + timedelta(hours=hour)
            written.write(f"{moment:%Y-%m-%dT%H:%M:%SZ},{price},{price},{price},{price},60\n")


@pytest.mark.parametrize("symbol", ["EURUSD", "GBPUSD", "USDCAD", "EURGBP"])
def test_a_quarter_of_a_pair_is_the_backtests_and_its_record_holds(
    start_stack, tmp_path, request, symbol
):
    file = tmp_path / f"{symbol}_M1.csv.gz"
    history = []
    if symbol in ("USDCAD", "EURGBP"):
        made_up_minutes(file)
        if symbol == "EURGBP":
            (tmp_path / "rates").mkdir()
            made_up_hours(tmp_path / "rates" / "GBPUSD_H1.csv.gz")
            history = ["--history", str(tmp_path / "rates")]
    else:
        shared = request.getfixturevalue("shared")
        minutes_before(
            "2018-04-01", shared / "data" / f"{symbol}_M1_histdata_2018_UTC.csv.gz", file
        )

    stack = start_stack(
        *("--feed", str(file), "--speed", "max", "--exit-when-done", *history),
        data_dir=tmp_path / "data",
    )
    assert stack.process.wait(timeout=_HOURS) == 0

    exported = json.loads(manage("export", "--data-dir", stack.data_dir, "--json"))
    assert "The record holds." in manage("verify_record", "--data-dir", stack.data_dir)
    rates = ["--rates", *history[1:]] if history else []
    backtest = json.loads(manage("backtest", "--symbol", symbol, "--ticks", file, "--json", *rates))
    assert len(exported["trades"]) > 5
    for part in ("signals", "trades"):
        assert json.dumps(exported[part]) == json.dumps(backtest[part])
