"""The promise under faults: whatever is killed meanwhile, the record equals the backtest."""

import json
import random
import signal
import time

import psutil
import pytest

from reports_app.backtest import engine
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import signal_as_json
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.goldtrader.stack.conftest import wait_until
from tests.goldtrader.stack.test_end_to_end import manage
from tests.stand_ins.market_files import write_market_files
from trades_app.lifecycle.machine import trade_as_json

pytestmark = pytest.mark.e2e

VICTIMS = ("gateway", "worker-pipeline", "worker-delivery", "valkey", "connector", "beat")


def kill_one(stack, choose):
    """Kill a process of the stack outright; return its name, `None` where it was gone already."""
    running = json.loads((stack.data_dir / "children.json").read_text())
    victim = choose.choice([child for child in running if child["name"] in VICTIMS])
    try:
        process = psutil.Process(victim["pid"])
        # Of the workers, half the time only one of the forks that does the work.
        forks = process.children() if victim["name"] == "worker-pipeline" else []
        (choose.choice(forks) if forks and choose.random() < 0.5 else process).kill()
    except psutil.NoSuchProcess:
        return None
    return victim["name"]


@pytest.mark.parametrize(
    ("workers", "faults", "seed"),
    [
        pytest.param(3, 6, 1, id="short"),
        pytest.param(1, 25, 2, id="long-1-worker", marks=pytest.mark.long),
        pytest.param(3, 25, 3, id="long-3-workers", marks=pytest.mark.long),
    ],
)
def test_killed_processes_change_no_signal_and_no_trade(
    start_stack, tmp_path, workers, faults, seed
):
    choose = random.Random(seed)
    market = write_market_files(tmp_path)
    result = engine.run(DEFAULT_INSTRUMENTS[0], Parameters(), [market.ticks], market.history)
    expected = {
        "signals": [signal_as_json(signal) for signal in result.signals],
        "trades": [trade_as_json(trade, events) for trade, events in result.trades],
    }
    stack = start_stack(
        *("--feed", str(market.ticks_file), "--history", str(market.history_directory)),
        *("--speed", "20000", "--workers", str(workers), "--symbol", "XAUUSD"),
        data_dir=tmp_path / "data",
    )
    stack.wait_for("Ctrl-C ends all of it")
    killed = []
    while len(killed) < faults:
        time.sleep(choose.uniform(0.5, 3.0))
        killed += filter(None, [kill_one(stack, choose)])

    def record():
        return json.loads(manage("export", "--data-dir", stack.data_dir, "--json"))

    wait_until(lambda: record() == expected or stack.process.poll() is not None, seconds=150)
    assert record() == expected, killed
    assert len(expected["trades"]) >= 3
    assert stack.end(by=signal.SIGTERM) == 0
