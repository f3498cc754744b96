"""A terminal that hangs, dies or fails, with the interpreter's lock held for real.

The whole connector runs: heartbeats go on, the server hears of the loss in time, the connector
recovers alone, and no tick is lost or sent twice.
"""

import asyncio
import os
import signal
import sys
import time
from itertools import pairwise

import pytest

from mt5_bridge.connector.client import Client, Settings
from mt5_bridge.connector.credentials import GivenToken, trust_only
from mt5_bridge.connector.spool import Spool
from mt5_bridge.protocol.wire import ErrorCode, Heartbeat
from mt5_bridge.sources.terminal import tick_window
from mt5_bridge.sources.terminal.call_watchdog import CallLimits
from mt5_bridge.sources.terminal.process import TerminalProcess
from mt5_bridge.sources.terminal.source import Mt5Source
from tests.mt5_bridge.server import Server, running, until
from tests.mt5_bridge.standin.market import FOLDER, PACKAGE, Market
from tests.paths import ROOT

# Short ones, but longer than a busy machine takes for a call.
QUICK = CallLimits(answer=1.5, end=3.0, initialize_end=4.0, start=30.0)


class Listener(Server):
    """A server that also keeps when heartbeats and errors came."""

    def __init__(self):
        super().__init__()
        self.beats = []
        self.heard = []

    async def take(self, socket, message):
        await super().take(socket, message)
        if isinstance(message, Heartbeat):
            self.beats.append(time.monotonic())
        elif message in self.errors:
            self.heard.append((time.monotonic(), message.code))

    def longest_silence(self, since):
        beats = [since, *(at for at in self.beats if at >= since), time.monotonic()]
        return max(after - before for before, after in pairwise(beats))

    def has_heard(self, code, since):
        return any(at >= since and heard == code for at, heard in self.heard)


@pytest.fixture
def market(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return Market(tmp_path, step_ms=50).write()


def a_client(server, folder, spool, limits):
    terminal = TerminalProcess(PACKAGE, limits)
    source = Mt5Source(terminal, "XAUUSD", clock="server-eu", end=terminal.end)
    settings = Settings(
        url=server.url,
        name="test",
        trust=trust_only(folder / "cert.pem"),
        status_directory=folder,
        first_pause=0.05,
    )
    return Client(settings, source, spool, GivenToken("good"))


def assert_whole(server, market):
    """Every tick of the market up to the last one that came, once, in order."""
    expected = market.ticks(server.ticks[-1][0] + market.step_ms)
    begun = expected.index(server.ticks[0])
    assert server.ticks == expected[begun:]
    assert server.repeated == 0


async def through_trouble(market, tmp_path, limits, *, heard_within, silence, **trouble):
    """Run through one trouble of ``copy_ticks_from``, and through the recovery from it."""
    spool = Spool(tmp_path / "spool")
    async with running(Listener(), tmp_path) as server:
        client = a_client(server, tmp_path, spool, limits)
        task = asyncio.create_task(client.run())
        await until(lambda: len(server.ticks) > 20, 90)
        # Before: a process that dies is reported at once, sooner than we see that it was asked.
        since, count = time.monotonic(), len(server.ticks)
        market.ask_for("copy_ticks_from", **trouble)
        await until(lambda: market.is_taken)
        await until(lambda: server.has_heard(ErrorCode.MT5_DISCONNECTED, since))
        assert time.monotonic() - since <= heard_within
        await until(lambda: server.has_heard(ErrorCode.MT5_RECONNECTED, since), 200)
        await until(lambda: len(server.ticks) > count + 100, 120)
        assert server.longest_silence(since) <= silence
        client.stop()
        began = time.monotonic()
        await asyncio.wait_for(task, 10)
        assert time.monotonic() - began < 5
    spool.close()
    assert_whole(server, market)


@pytest.mark.parametrize(
    "trouble", [{"hold": 2.2}, {"hold": None}, {"die": True}], ids=["slow", "hung", "dead"]
)
async def test_a_terminal_in_trouble_loses_nothing_and_is_reported(
    market, tmp_path, monkeypatch, trouble
):
    monkeypatch.setattr(tick_window, "SETTLED_AFTER", 0.5)
    await through_trouble(market, tmp_path, QUICK, heard_within=10.0, silence=10.0, **trouble)


@pytest.mark.long
@pytest.mark.parametrize("seconds", [75, None], ids=["75 seconds", "for ever"])
async def test_a_terminal_that_hangs_with_the_real_limits(market, tmp_path, seconds):
    await through_trouble(
        market, tmp_path, CallLimits(), heard_within=35.0, silence=5.0, hold=seconds
    )


async def test_a_terminal_that_hangs_at_the_start_does_not_keep_the_connector_from_the_server(
    market, tmp_path, monkeypatch
):
    monkeypatch.setattr(tick_window, "SETTLED_AFTER", 0.5)
    market.ask_for("initialize", hold=None)
    spool = Spool(tmp_path / "spool")
    async with running(Listener(), tmp_path) as server:
        client = a_client(server, tmp_path, spool, QUICK)
        since = time.monotonic()
        task = asyncio.create_task(client.run())
        await until(lambda: server.has_heard(ErrorCode.MT5_DISCONNECTED, since))
        await until(lambda: market.is_taken)
        await until(lambda: len(server.ticks) > 20, 60)
        client.stop()
        await asyncio.wait_for(task, 10)
    spool.close()
    assert_whole(server, market)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
async def test_the_program_ends_within_seconds_while_a_call_hangs_for_ever(market, tmp_path):
    market.ask_for("initialize", hold=None)
    package = ROOT / "tests" / "mt5_bridge" / "standin"
    async with running(Listener(), tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mt5_bridge", "--source", "mt5", "--token", "good",
            "--url", server.url, "--cafile", tmp_path / "cert.pem", "--spool", tmp_path / "spool",
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(package)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await until(lambda: market.is_taken)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert time.monotonic() - began < 5
    assert process.returncode == 0, err
    assert b"Traceback" not in err
