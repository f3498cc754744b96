"""Counts of processes that have ended, and of ones whose disk is full."""

import os
import resource
import subprocess
import sys

import pytest

from goldtrader import metrics_files
from tests.paths import ROOT

#: Counts in a process of its own, with the client that the metrics of the stack use.
COUNT = """
import errno, os, sys
from goldtrader import metrics_files
metrics_files.keep_room()
from prometheus_client import Counter, Gauge, Histogram, REGISTRY, generate_latest
limit = int(sys.argv[1])
reserve = metrics_files._reserve
def reserve_on_full_disk(descriptor, size):
    if limit and size > limit:
        raise OSError(errno.ENOSPC, "No space left on device")
    reserve(descriptor, size)
metrics_files._reserve = reserve_on_full_disk
ticks = Counter("ticks", "Ticks", ["symbol"])
for number in range(int(sys.argv[2])):
    ticks.labels(f"S{number}" + "x" * 200).inc()
ticks.labels("XAUUSD").inc(3)
Gauge("connections", "Open", multiprocess_mode="livesum").set(7)
Histogram("seconds", "Took", buckets=[1, 10]).observe(5)
print(ticks.labels("XAUUSD")._value.get())
"""


def count(directory, *, limit=0, symbols=1):
    """Count in a process that ends; give what it counted in the end."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(limit), str(symbols)],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return float(done.stdout)


def totals(directory):
    """What the files of a directory add up to, by name and labels."""
    from prometheus_client.multiprocess import MultiProcessCollector

    with metrics_files.being_read(directory) as files:
        merged = MultiProcessCollector.merge([str(file) for file in files])
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in merged
        for sample in metric.samples
        if not str(sample.labels.get("symbol", "")).startswith("S")
    }


def test_counts_of_ended_processes_are_kept_in_one_file_and_their_gauges_are_gone(tmp_path):
    for _ in range(3):
        count(tmp_path)
    before = totals(tmp_path)
    assert before[("ticks_total", "XAUUSD")] == 9
    assert before[("connections",)] == 21

    metrics_files.forget_ended(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["counter_0.db", "histogram_0.db"]
    after = totals(tmp_path)
    assert after == {name: value for name, value in before.items() if name != ("connections",)}
    count(tmp_path)
    metrics_files.forget_ended(tmp_path)
    assert totals(tmp_path)[("ticks_total", "XAUUSD")] == 12
    assert totals(tmp_path)[("seconds_bucket", "10.0")] == 4
    assert len(list(tmp_path.iterdir())) == 2


def test_counts_of_living_processes_are_left_alone(tmp_path):
    count(tmp_path)
    for file in tmp_path.iterdir():
        file.rename(file.with_name(f"{file.stem.rpartition('_')[0]}_{os.getpid()}.db"))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    metrics_files.forget_ended(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files in memory alone")
@pytest.mark.parametrize(
    ("limit", "symbols"), [(1_000, 1), (1 << 16, 1_000)], ids=["first", "grown"]
)
def test_a_process_whose_disk_is_full_goes_on_counting(tmp_path, limit, symbols):
    assert count(tmp_path, limit=limit, symbols=symbols) == 3
    for file in tmp_path.iterdir():
        # What is there is mapped whole, so that no count can end the process.
        assert file.stat().st_blocks * 512 >= min(file.stat().st_size, 1 << 16)


def test_without_room_for_the_sum_the_files_themselves_stay(tmp_path):
    for _ in range(2):
        count(tmp_path)
    before = totals(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        metrics_files.forget_ended(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert totals(tmp_path) == {k: v for k, v in before.items() if k != ("connections",)}
    metrics_files.forget_ended(tmp_path)
    assert "counter_0.db" in {file.name for file in tmp_path.iterdir()}
