"""Processes that are kept running; what each of them does is said by its symbol."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from mt5_bridge.connector import child_process, supervisor
from mt5_bridge.connector.config import Config, SourceKind
from mt5_bridge.connector.supervised import end_with
from mt5_bridge.connector.supervisor import ConnectorSupervisor


def run(config, pipe):
    """End as the symbol says: with a code, by a crash the first time, or when it is asked to."""
    starts = config.spool / "starts"
    config.spool.mkdir(parents=True, exist_ok=True)
    with starts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    if config.symbol == "CRASHES" and len(starts.read_text().split()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if config.symbol.startswith("CODE"):
        return int(config.symbol[-1])
    ended = threading.Event()
    end_with(pipe, ended.set)
    if config.symbol == "HANGS":
        time.sleep(3600)
    assert ended.wait(60)
    return 0


def a_stream(folder, symbol):
    return Config(SourceKind.SIMULATED, "wss://a.org", symbol, f"mt5-{symbol}", folder / symbol)


def starts(folder, symbol):
    path = folder / symbol / "starts"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def states(folder):
    found = json.loads((folder / "streams.json").read_text())
    return {each["name"]: each["text"] for each in found["streams"]}


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    """Run symbols until ``claim(folder)`` holds, then stop; the exit code."""
    # Signals belong to the main thread of a program of its own.
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def work(*symbols, claim=None):
        folder = tmp_path / "spools"
        one = ConnectorSupervisor([a_stream(folder, symbol) for symbol in symbols], folder, run)
        codes = []
        thread = threading.Thread(target=lambda: codes.append(one.run()))
        thread.start()
        if claim is not None:
            deadline = time.monotonic() + 60
            while not claim(folder):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            one.stop()
        thread.join(60)
        return codes[0], folder

    return work


def is_gone(pid):
    return not Path(f"/proc/{pid}").exists()


def test_one_that_crashes_is_started_anew_and_the_others_go_on(supervised):
    code, folder = supervised(
        "CRASHES",
        "RUNS",
        claim=lambda folder: len(starts(folder, "CRASHES")) == 2 and starts(folder, "RUNS"),
    )
    assert code == 0
    assert len(starts(folder, "RUNS")) == 1
    assert all(map(is_gone, starts(folder, "RUNS") + starts(folder, "CRASHES")))


def test_a_mistake_in_the_settings_stays_down_while_the_others_go_on(supervised):
    def is_down(folder):
        return starts(folder, "RUNS") and "is down" in states(folder).get("mt5-CODE2", "")

    code, folder = supervised("CODE2", "RUNS", claim=is_down)
    assert (code, len(starts(folder, "CODE2"))) == (0, 1)


def test_a_mistake_is_tried_again_later(supervised, monkeypatch):
    monkeypatch.setattr(child_process, "_PAUSE_OF_BAD_INPUT", 0.5)
    code, _ = supervised("CODE2", "RUNS", claim=lambda folder: len(starts(folder, "CODE2")) == 2)
    assert code == 0


def test_when_none_is_left_a_mistake_is_the_exit_code(supervised):
    code, folder = supervised("CODE0", "CODE2")
    assert code == 2
    assert "has ended" in states(folder)["mt5-CODE0"]
    assert "is down" in states(folder)["mt5-CODE2"]
    assert supervised("CODE0")[0] == 0


def test_one_that_gives_no_sign_of_life_is_started_anew(supervised, monkeypatch):
    monkeypatch.setattr(child_process, "_STUCK_AFTER", 4.0)
    code, _ = supervised("STUCK", claim=lambda folder: len(starts(folder, "STUCK")) == 2)
    assert code == 0


def test_one_that_does_not_end_is_killed(supervised, monkeypatch):
    monkeypatch.setattr(supervisor, "_ENDS_WITHIN", 0.5)
    code, folder = supervised("HANGS", claim=lambda folder: starts(folder, "HANGS"))
    assert code == 0
    assert all(map(is_gone, starts(folder, "HANGS")))
