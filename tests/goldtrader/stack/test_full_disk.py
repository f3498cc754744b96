"""A disk that is full for a while: said once, gone through, healed, and nothing half-written."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from goldtrader.stack.servers import postgres
from tests.goldtrader.stack.commands import manage, run_stack, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system"),
]


@pytest.fixture
def small_disk():
    """A file system of 300 MB, in memory, which PostgreSQL's account can reach too."""
    place = Path(tempfile.mkdtemp(prefix="goldtrader-disk-"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", str(place)], check=False
    )
    if made.returncode != 0:
        place.rmdir()
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def fill(place):
    """Leave no byte."""
    with (place / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    filler.write(b"\0" * size)
                except OSError:
                    break


def state(port):
    """How the web server says it is, and when it does not answer, that."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=5) as answer:
            return json.loads(answer.read())["status"]
    except OSError:
        return "down"


def test_a_disk_that_is_full_for_a_while_is_gone_through(start_stack, small_disk):
    data_dir = small_disk / "data"
    stack = start_stack("--feed", "simulated", data_dir=data_dir)
    stack.wait_for("Ctrl-C ends all of it")
    wait_until(lambda: state(stack.port) == "ok", seconds=60)

    fill(small_disk)
    stack.wait_for("(is full|No space left.*); the stack goes on without", seconds=30)
    time.sleep(30)
    assert stack.process.poll() is None
    (small_disk / "filler").unlink()
    freed_at = time.monotonic()
    wait_until(lambda: state(stack.port) == "ok", seconds=90)
    print(f"well again after {time.monotonic() - freed_at:.0f} s")  # noqa: T201

    said = stack.said()
    assert len(re.findall(r"is full|cannot be written|cannot be started", said)) == 1, said
    assert said.count("The disk is well again.") == 1
    assert "The record holds" in manage("verify_record", "--data-dir", data_dir)
    assert stack.end(by=signal.SIGTERM) == 0
    assert list(small_disk.rglob("*unfinished*")) == []
    postgres.remove(data_dir)


@pytest.mark.parametrize("room", [0, 4_000, 100_000, 3_000_000])
def test_a_start_without_room_says_so_and_leaves_nothing_half_written(small_disk, room):
    data_dir = small_disk / "data"
    fill(small_disk)
    with (small_disk / "filler").open("r+b") as filler:
        filler.truncate((small_disk / "filler").stat().st_size - room)
    refused = run_stack("--feed", "none", data_dir=data_dir)
    assert refused.returncode == 2
    assert "No space left on device" in refused.stderr or "is full" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert list(small_disk.rglob("*unfinished*")) == []
    for path in data_dir.glob("*.json"):
        json.loads(path.read_text())
    postgres.remove(data_dir)
