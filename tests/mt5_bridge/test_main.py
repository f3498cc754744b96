"""The connector as its users start it: a process of its own."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

import pytest

from tests.certificates import make_certificate
from tests.mt5_bridge.server import Server, running, until
from tests.paths import ROOT

NOON = 1_704_456_000_000


@pytest.fixture
def folder(tmp_path):
    make_certificate(tmp_path)
    return tmp_path


def tick_file(folder, count):
    rows = [
        (NOON + 100 * place, 2000 + place % 100 / 10, 2001 + place % 100 / 10)
        for place in range(count)
    ]
    path = folder / "XAUUSD_ticks.csv"
    path.write_text("timestamp_ms,bid,ask\n" + "".join(f"{t},{b},{a}\n" for t, b, a in rows))
    return path, [(t, round(b, 5), round(a, 5)) for t, b, a in rows]


async def start(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mt5_bridge", *map(str, arguments),
        cwd=ROOT, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(process):
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode(), err.decode()


def line_to(server, folder):
    return (
        "--url", server.url, "--cafile", folder / "cert.pem", "--spool", folder / "spool",
    )  # fmt: skip


async def test_a_replay_prints_its_counts_and_exits_with_0(folder):
    path, rows = tick_file(folder, 5000)
    async with running(Server(), folder) as server:
        process = await start(
            "--source", "replay", "--file", path, "--exit-when-done", "--token", "good",
            *line_to(server, folder),
        )  # fmt: skip
        code, out, _ = await ended(process)
    assert (code, server.ticks) == (0, rows)
    assert out.startswith("XAUUSD: 5,000 ticks read, 0 refused, 5,000 sent, 5,000 acknowledged")
    status = await start("status", "--spool", folder / "spool")
    code, out, _ = await ended(status)
    assert code == 1
    assert "NOT RUNNING" in out


async def test_killed_at_any_moment_it_loses_and_doubles_nothing(folder):
    path, rows = tick_file(folder, 60_000)
    command = ("--source", "replay", "--file", path, "--speed", "30000", "--token", "good")
    async with running(Server(), folder) as server:
        for count in (1, 20_000, 40_000):
            process = await start(*command, *line_to(server, folder))
            await until(lambda count=count: len(server.ticks) >= count)
            process.send_signal(signal.SIGKILL)
            await ended(process)
        process = await start(*command, "--exit-when-done", *line_to(server, folder))
        code, _, _ = await ended(process)
    assert (code, server.ticks) == (0, rows)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_when_it_is_told_to(folder, number):
    async with running(Server(), folder) as server:
        process = await start("--source", "simulated", "--token", "good", *line_to(server, folder))
        await until(lambda: len(server.ticks) > 1000)
        screen = await start("status", "--spool", folder / "spool")
        process.send_signal(number)
        code, _, err = await ended(process)
        await ended(screen)
    assert code == 0
    assert "SIMULATED" in err
    assert "Traceback" not in err
    assert {len(server.history[timeframe]) >= 200 for timeframe in ("M15", "H1", "H4")} == {True}


async def test_bad_input_is_one_sentence_and_exit_code_2(folder):
    path, _ = tick_file(folder, 3)
    bad = folder / "XAUUSD_bad.csv"
    bad.write_text(f"timestamp_ms,bid,ask\n{NOON},5,4\n")
    (folder / "file").write_text("")
    replay = ("--source", "replay", "--exit-when-done", "--token", "good")
    async with running(Server(), folder) as server:
        line = line_to(server, folder)
        cases = {
            "does not exist": (*replay, "--file", folder / "none.csv", *line),
            "line 2: the ask 4.0 is below": (*replay, "--file", bad, *line),
            "is no time zone": (*replay, "--file", path, *line, "--source-timezone", "Mars"),
            "holds no history": (*replay, "--file", path, *line, "--history", folder),
            "cannot be written": (*replay, "--file", path, *line, "--spool", folder / "file" / "x"),
            "AUTH_FAILED": (*replay, "--file", path, *line, "--token", "wrong"),
            "check --cafile": (*replay, "--file", path, *line, "--cafile", path),
            "give --source": line,
            "Windows only": ("--source", "mt5", "--token", "good", *line),
        }
        processes = {what: await start(*arguments) for what, arguments in cases.items()}
        for what, process in processes.items():
            code, out, err = await ended(process)
            assert (code, out) == (2, ""), what
            assert what in err.splitlines()[-1]
            assert "Traceback" not in err
    assert server.ticks == []
    log = (folder / "spool" / "mt5_bridge.log").read_text()
    assert "none.csv does not exist; check the path" in log
    assert "CRITICAL the server says AUTH_FAILED" in log


def full_pipe():
    """Return both ends of a pipe that nobody reads: who writes there hangs, as at a console
    into which somebody has clicked."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    return reading, writing


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals of Unix")
async def test_a_console_that_hangs_stops_neither_ticks_nor_the_end(folder):
    reading, writing = full_pipe()
    async with running(Server(), folder) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mt5_bridge", "--source", "simulated", "--token", "good",
            *map(str, line_to(server, folder)),
            cwd=ROOT, stdout=writing, stderr=writing,
        )  # fmt: skip
        await until(lambda: len(server.ticks) > 1000)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 20)
    os.close(reading)
    os.close(writing)
    assert code == 0
    log = (folder / "spool" / "mt5_bridge.log").read_text()
    assert "connected to wss://" in log


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "CRITICAL give --source"),
        (("--file", "none.csv"), 2, "CRITICAL none.csv does not exist"),
    ],
)
async def test_it_runs_without_any_console(folder, arguments, code, sentence):
    """As `pythonw.exe` runs it: there is no standard output and no standard error."""
    if arguments:
        arguments = (
            "--source", "replay", "--token", "x", "--url", "ws://127.0.0.1:9",
            "--spool", str(folder / "spool"), *arguments,
        )  # fmt: skip
    lines = (
        "import sys; sys.stdin = sys.stdout = sys.stderr = None; "
        f"sys.argv[1:] = {arguments!r}; from mt5_bridge.__main__ import run; run()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", lines, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    found, out, err = await ended(process)
    assert (found, out, err) == (code, "", "")
    directory = folder / ("spool" if arguments else "var/mt5_bridge")
    assert sentence in (directory / "mt5_bridge.log").read_text()
