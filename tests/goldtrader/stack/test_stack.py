import json
import re
import signal
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.goldtrader.stack.commands import export, run_hint, run_stack, wait_until
from tests.ports import free_port

UP = r"Ctrl-C ends all of it"

pytestmark = pytest.mark.e2e


def test_everything_comes_up_stays_up_and_ends_without_an_orphan(start_stack, tmp_path):
    stack = start_stack("--feed", "none", data_dir=tmp_path / "data")
    said = stack.wait_for(UP)

    assert f"http://127.0.0.1:{stack.port}/admin/" in said
    assert f"wss://127.0.0.1:{stack.gateway_port}/ws/v1/ticks" in said
    assert "admin / " in said
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/api/v1/health") as answer:
        components = json.loads(answer.read())["components"]
    assert {components[name] for name in ("database", "redis", "gateway", "workers")} == {"ok"}

    children = stack.descendants()
    names = json.loads((stack.data_dir / "children.json").read_text())
    gateway = next(psutil.Process(entry["pid"]) for entry in names if entry["name"] == "gateway")
    gateway.kill()
    said = stack.wait_for("gateway ended with exit code -9; it starts again in 1 s")
    wait_until(lambda: _listens(stack.gateway_port))

    children += stack.descendants()
    assert stack.end() == 0
    assert [process for process in children if process.is_running()] == []
    assert "Everything has ended" in stack.said()
    settings = json.loads((stack.data_dir / "stack.json").read_text())
    assert settings.keys().isdisjoint({"pid", "database_url", "redis_url"})


def test_a_killed_stack_leaves_nothing_running_and_its_data_whole(start_stack, tmp_path):
    data_dir = tmp_path / "data"
    first = start_stack("--feed", "none", data_dir=data_dir)
    first.wait_for(UP)
    children = first.descendants()
    assert len(children) >= 8

    first.end(by=signal.SIGKILL)
    wait_until(lambda: not any(_lives(process) for process in children))

    second = start_stack("--feed", "none", data_dir=data_dir)
    said = second.wait_for(UP)
    assert "the password shown at the first start" in " ".join(said.replace("│", " ").split())
    assert "The database is prepared" not in said
    assert "successfully" in run_hint(said, r"A new password for admin: (.+)", "new-Pass-word-1")

    # Some of what it leaves behind cannot end by itself, and holds the ports of the next one.
    left = second.descendants()
    noted = json.loads((data_dir / "children.json").read_text())
    for name in ("gateway", "web", "worker-pipeline", "valkey"):
        psutil.Process(next(each["pid"] for each in noted if each["name"] == name)).suspend()
    second.end(by=signal.SIGKILL)
    third = start_stack("--feed", "none", data_dir=data_dir, in_place_of=second)
    assert "Ended what a killed stack left behind" in third.wait_for(UP)
    assert not any(_lives(process) for process in left)
    assert third.end(by=signal.SIGTERM) == 0

    # The same line once nothing runs any more.
    assert "successfully" in run_hint(said, r"A new password for admin: (.+)", "new-Pass-word-2")


def test_two_stacks_that_start_at_once_both_come_up(start_stack, tmp_path):
    both = [start_stack("--feed", "none", data_dir=tmp_path / name) for name in ("a", "b")]
    pages = [re.search(r"Flower\)\W+(http://\S+)", stack.wait_for(UP))[1] for stack in both]

    assert len(set(pages)) == 2
    assert [stack.end() for stack in both] == [0, 0]


def test_beside_a_running_stack_a_command_shares_its_data_and_a_stack_does_not(
    start_stack, tmp_path
):
    stack = start_stack("--feed", "none", data_dir=tmp_path / "data")
    stack.wait_for(UP)

    refused = run_stack("--feed", "none", data_dir=tmp_path / "data")
    assert refused.returncode == 2
    assert f"is in use by manage.py stack (process {stack.process.pid})" in refused.stderr
    running = export(stack.data_dir)
    assert stack.end() == 0

    assert export(stack.data_dir) == running == {"signals": [], "trades": []}
    assert not (_cluster(stack.data_dir) / "postmaster.pid").exists()


@pytest.mark.parametrize("option", ["--port", "--gateway-port"])
def test_a_taken_port_is_named_before_anything_is_written(tmp_path, option):
    others = {"--port": str(free_port()), "--gateway-port": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = others | {option: str(port)}
        options = (part for pair in chosen.items() for part in pair)
        refused = run_stack("--feed", "none", *options, data_dir=tmp_path / "data")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"Port {port} is taken or not allowed; choose another with {option}.\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused = run_stack("--feed", "none", data_dir=tmp_path / "file" / "data")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"The data directory {tmp_path / 'file' / 'data'} cannot be written (Not a directory); "
        "choose another with --data-dir.\n"
    )


def test_a_database_that_refuses_is_named_without_its_password(tmp_path):
    url = "postgres://someone:hidden@127.0.0.1:1/nothing"
    refused = run_stack("--feed", "none", data_dir=tmp_path / "data", DATABASE_URL=url)
    assert refused.returncode == 2
    assert "The database of DATABASE_URL is not usable" in refused.stderr
    assert "hidden" not in refused.stderr + refused.stdout


def _cluster(data_dir: Path) -> Path:
    return data_dir / json.loads((data_dir / "postgres.json").read_text())["home"] / "cluster"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
