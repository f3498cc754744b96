"""The promise under faults: whatever is killed meanwhile, the record equals the backtest."""

import json
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.goldtrader.stack.commands import count_events, export, manage, wait_until
from tests.paths import SHARED
from tests.stand_ins.market_files import write_market_files

pytestmark = pytest.mark.e2e

VICTIMS = (
    *("gateway", "worker-pipeline", "worker-delivery"),
    *("valkey", "postgres", "connector", "beat"),
)


@dataclass(frozen=True)
class Feed:
    """A file of gold ticks and the candles before it."""

    ticks: Path
    history: Path


def made_up(directory):
    market = write_market_files(directory)
    return Feed(market.ticks_file, market.history_directory)


def real(directory):
    data = SHARED / "data"
    feed = Feed(data / "XAUUSD_ticks_oanda_2014-05-01_to_08.csv.gz", data / "history-2014-05-01")
    if not feed.ticks.exists():
        pytest.skip(f"{feed.ticks.name} is not there")
    return feed


def kill(stack, name, choose):
    """Kill a process of the stack outright; return whether it was there."""
    running = json.loads((stack.data_dir / "children.json").read_text())
    try:
        process = psutil.Process(next(each["pid"] for each in running if each["name"] == name))
        # Of the workers, half the time only one of the forks that does the work.
        forks = process.children() if name == "worker-pipeline" else []
        (choose.choice(forks) if forks and choose.random() < 0.5 else process).kill()
    except (StopIteration, psutil.NoSuchProcess):
        return False
    return True


def victims(choose, count):
    """Name so many victims in a random order in which each one's turn comes round."""
    rounds = [choose.sample(VICTIMS, len(VICTIMS)) for _ in range(-(-count // len(VICTIMS)))]
    return [name for each in rounds for name in each][:count]


def record(stack):
    """What the database holds; `None` where it does not answer, as it may have been killed."""
    try:
        return export(stack.data_dir)
    except AssertionError:
        return None


def recorded(stack, expected, seconds):
    """Return what is recorded once it is all there, or when the time is over."""
    deadline = time.monotonic() + seconds
    events = sum(len(trade["events"]) for trade in expected["trades"])
    while True:
        is_late = time.monotonic() > deadline or stack.process.poll() is not None
        if is_late or count_events(stack.data_dir) >= events:
            found = record(stack)
            if found == expected or is_late:
                return found
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("market", "speed", "workers", "faults", "seed"),
    [
        pytest.param(made_up, "20000", 3, 7, 1, id="short-3-workers"),
        pytest.param(made_up, "max", 1, 4, 6, id="short-1-worker"),
        pytest.param(made_up, "20000", 1, 25, 2, id="long-1-worker", marks=pytest.mark.long),
        pytest.param(made_up, "20000", 3, 25, 3, id="long-3-workers", marks=pytest.mark.long),
        pytest.param(real, "max", 1, 12, 4, id="real-1-worker", marks=pytest.mark.long),
        pytest.param(real, "max", 3, 12, 5, id="real-3-workers", marks=pytest.mark.long),
    ],
)
def test_killed_processes_change_no_signal_and_no_trade(
    start_stack, tmp_path, market, speed, workers, faults, seed
):
    choose = random.Random(seed)
    feed = market(tmp_path)
    backtest = manage(
        *("backtest", "--symbol", "XAUUSD", "--ticks", feed.ticks, "--history", feed.history),
        "--json",
    )
    expected = {name: json.loads(backtest)[name] for name in ("signals", "trades")}
    assert len(expected["trades"]) >= 3
    stack = start_stack(
        *("--feed", str(feed.ticks), "--history", str(feed.history)),
        *("--speed", speed, "--workers", str(workers), "--symbol", "XAUUSD"),
        data_dir=tmp_path / "data",
    )
    stack.wait_for("Ctrl-C ends all of it")
    for name in victims(choose, faults):
        time.sleep(choose.uniform(0.2, 1.0) if speed == "max" else choose.uniform(0.5, 3.0))
        wait_until(lambda name=name: kill(stack, name, choose), seconds=60)

    assert recorded(stack, expected, seconds=200) == expected
    assert stack.end(by=signal.SIGTERM) == 0
