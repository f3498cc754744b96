"""A spool that is damaged while the connector runs: put aside, and filled again at once."""

import asyncio
import os
import signal
import sys
import time

import pytest

from tests.mt5_bridge.server import Server, running, until
from tests.mt5_bridge.standin.market import FOLDER, Market
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


async def start(tmp_path, server):
    standin = ROOT / "tests" / "mt5_bridge" / "standin"
    paths = os.pathsep.join(map(str, (ROOT, standin, standin / "quick")))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mt5_bridge", "--source", "mt5", "--token", "good",
        "--clock", "server-eu", "--url", server.url, "--cafile", tmp_path / "cert.pem",
        "--spool", tmp_path / "spool",
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths, FOLDER: str(tmp_path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def overwrite(spool, content):
    """Write over the file and its journal in place, as a failing disk does."""
    for name in ("spool.sqlite3", "spool.sqlite3-wal"):
        with (spool / name).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write((content * (size // len(content) + 1))[:size])


def truncate(spool):
    for name in ("spool.sqlite3", "spool.sqlite3-wal"):
        os.truncate(spool / name, 0)


def damaged(spool):
    return [file for file in spool.iterdir() if "sqlite3.damaged" in file.name]


@pytest.mark.parametrize(
    "damage",
    [
        lambda spool: overwrite(spool, bytes(4096)),
        lambda spool: overwrite(spool, b"GARB"),
        truncate,
    ],
    ids=["zeros", "garbage", "emptied"],
)
async def test_what_the_server_lacks_is_read_again_from_the_terminal(tmp_path, damage):
    market = Market(tmp_path, step_ms=20).write()
    spool = tmp_path / "spool"
    async with running(Server(), tmp_path) as server:
        process = await start(tmp_path, server)
        await until(lambda: len(server.ticks) > 100)
        # A backlog that is nowhere but in the spool.
        server.acknowledges = False
        damage(spool)
        began, count = time.monotonic(), len(server.ticks)
        await until(lambda: damaged(spool), 30)
        server.acknowledges = True
        await until(lambda: len(server.ticks) > count + 200)
        recovered_after = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    assert b"a new one is filled from where the server is" in err
    expected = market.ticks(server.ticks[-1][0] + market.step_ms)
    assert server.ticks == expected[expected.index(server.ticks[0]) :]
    assert recovered_after < 40
