"""Trials that take a second or more, so that a test can kill what runs them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reports_app.experiments.trials import plain_market, plain_parameters, run_trial
from signals_app.confluence.parameters import Parameters
from signals_app.market.calendar import iso
from tests.reports_app.backtest.markets import wandering_ticks
from tests.reports_app.experiments.test_trials import arguments

CANDIDATES = {
    place: plain_parameters(Parameters(threshold=50.0 + place, warm_up_candles=10))
    for place in range(3)
}


@pytest.fixture(scope="module")
def candles_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many candles that a trial takes a second or more."""
    path = tmp_path_factory.mktemp("spread") / "XAUUSD_M15.csv"
    ticks = wandering_ticks(days=80, seconds=900)
    rows = (
        f"{iso(t.time_ms - 137)},{t.bid},{t.bid + 1.5:.5f},{t.bid - 1.5:.5f},{t.bid + 0.1:.5f},9"
        for t in ticks
    )
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def expected(candles_file: Path) -> dict[int, list[list[float]]]:
    market = plain_market(arguments(candles_file))
    found = {place: run_trial(market, each) for place, each in CANDIDATES.items()}
    assert len(found[0]) > 20
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
