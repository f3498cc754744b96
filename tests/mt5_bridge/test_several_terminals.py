"""One configuration of several terminals and symbols, as its user starts it."""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mt5_bridge.protocol import wire
from tests.mt5_bridge.server import Server, running, until
from tests.mt5_bridge.standin.market import FOLDER, Market
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


class Hub(Server):
    """A server of several symbols: each with a server of its own, and a connector's name."""

    def __init__(self):
        super().__init__()
        self.of_symbol = {}

    async def welcome(self, socket):
        raise NotImplementedError

    async def handle(self, socket):
        await self.say(socket, wire.Connected(server_time=wire.iso(round(time.time() * 1000))))
        message = wire.decode_from_connector(await socket.recv())
        (symbol,) = message.symbols
        one = self.of_symbol.setdefault(symbol, OneSymbol(symbol))
        with suppress(wire.BadMessage):
            await one.take(socket, message)
            await one.handle(socket)


class OneSymbol(Server):
    def __init__(self, symbol):
        super().__init__()
        self.symbol = symbol

    async def welcome(self, socket):
        time_ms = self.ticks[-1][0] if self.ticks else None
        expires_at = wire.iso(round((time.time() + self.lifetime) * 1000))
        await self.say(
            socket,
            wire.AuthOk(
                connector=f"test-{self.symbol}",
                role={self.symbol: self.role},
                resume={self.symbol: wire.Resume(seq=self.seq, time=time_ms)},
                heartbeat_interval=0.5,
                expires_at=expires_at,
            ),
        )


CONFIG = """\
source = "mt5"
name = "mt5-london"
token = "good"
clock = "server-eu"
url = "{url}"
cafile = "{cafile}"
spool = "{spool}"

[[terminal]]
path = "A"
login = 1
symbols = ["XAUUSD"]

[[terminal]]
path = "B"
login = 2
symbols = ["EURUSD"]
"""


@pytest.fixture
def markets(tmp_path):
    Market(tmp_path).write()
    gold = Market(tmp_path / "A", symbol="XAUUSD", login=1).write()
    return gold, Market(tmp_path / "B", symbol="EURUSD", login=2).write()


async def start(tmp_path, *arguments):
    standin = ROOT / "tests" / "mt5_bridge" / "standin"
    paths = os.pathsep.join(map(str, (ROOT, standin, standin / "quick")))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mt5_bridge", *arguments,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths, FOLDER: str(tmp_path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def pid_of(tmp_path, name):
    return json.loads((tmp_path / "spool" / name / "status.json").read_text())["pid"]


def assert_whole(server, market):
    expected = market.ticks(server.ticks[-1][0] + market.step_ms)
    begun = expected.index(server.ticks[0])
    assert server.ticks == expected[begun:]


async def test_each_terminal_s_symbol_is_sent_whatever_becomes_of_the_other(tmp_path, markets):
    gold, euro = markets
    async with running(Hub(), tmp_path) as hub:
        told = {"url": hub.url, "cafile": tmp_path / "cert.pem", "spool": tmp_path / "spool"}
        (tmp_path / "mt5_bridge.toml").write_text(CONFIG.format(**told))
        (tmp_path / "mt5_bridge.toml").chmod(0o644)
        process = await start(tmp_path)
        await until(lambda: len(hub.of_symbol) == 2)
        xau, eur = hub.of_symbol["XAUUSD"], hub.of_symbol["EURUSD"]
        await until(lambda: len(xau.ticks) > 20 and len(eur.ticks) > 20)

        # One hangs, the other's process is killed: neither takes the other along.
        euro.ask_for("copy_ticks_from", hold=None)
        await until(lambda: euro.is_taken)
        pid = pid_of(tmp_path, "mt5-london-XAUUSD")
        os.kill(pid, signal.SIGKILL)
        count = len(xau.ticks)
        await until(lambda: len(xau.ticks) > count + 60)
        assert pid_of(tmp_path, "mt5-london-XAUUSD") != pid

        screen = await start(tmp_path, "status")
        out = (await screen.communicate())[0].decode()
        assert "mt5-london-XAUUSD is running\nconnector   " in out
        assert "mt5-london-EURUSD is running\nconnector   " in out

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert time.monotonic() - began < 15
    assert process.returncode == 0, err.decode()
    assert_whole(xau, gold)
    assert_whole(eur, euro)
    text = err.decode()
    assert "Traceback" not in text
    assert "chmod 600 mt5_bridge.toml" in text
    assert "[mt5-london-EURUSD] EURUSD" in text
    assert "mt5-london-XAUUSD has ended (exit code -9): started anew in" in text


async def test_when_the_supervisor_is_killed_its_connectors_end(tmp_path, markets):
    async with running(Hub(), tmp_path) as hub:
        told = {"url": hub.url, "cafile": tmp_path / "cert.pem", "spool": tmp_path / "spool"}
        (tmp_path / "mt5_bridge.toml").write_text(CONFIG.format(**told))
        process = await start(tmp_path)
        await until(lambda: len(hub.of_symbol) == 2)
        await until(lambda: (tmp_path / "spool" / "mt5-london-EURUSD" / "status.json").exists())
        pid = pid_of(tmp_path, "mt5-london-EURUSD")
        process.kill()
        await process.wait()
        await until(lambda: not Path(f"/proc/{pid}").exists(), 15)


async def test_accounts_that_would_share_a_terminal_are_one_sentence(tmp_path):
    (tmp_path / "mt5_bridge.toml").write_text(
        CONFIG.format(url="wss://a.org", cafile="", spool="spool").replace('"B"', '"A"')
    )
    process = await start(tmp_path)
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode() == (
        "accounts 1 and 2 would share the terminal A: give each [[terminal]] a path of its own\n"
    )
