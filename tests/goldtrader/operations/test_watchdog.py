"""A process that stands still ends with its children; one that lives goes on."""

import subprocess
import sys
import textwrap

import psutil


def test_a_process_that_gives_no_sign_of_life_ends_with_its_children():
    watched = _watched("watchdog.start(seconds=0.5)")
    child = psutil.Process(int(watched.stdout.readline()))
    assert watched.wait(20) == 1
    child.wait(5)


def test_a_process_that_gives_signs_of_life_goes_on():
    watched = _watched(
        """
        watchdog.start(seconds=3.0)
        for _ in range(40):
            time.sleep(0.1)
            watchdog.extend(seconds=3.0)
        os._exit(7)
        """
    )
    child = psutil.Process(int(watched.stdout.readline()))
    assert watched.wait(20) == 7
    child.kill()


def test_one_that_is_ending_is_not_kept_by_signs_of_life():
    watched = _watched(
        """
        watchdog.start(seconds=60)
        watchdog.end_within(seconds=0.5)
        while True:
            time.sleep(0.1)
            watchdog.extend(seconds=60)
        """
    )
    assert watched.wait(20) == 1


def _watched(behaviour):
    """Start a process that has a child, prints the child's number, and behaves so."""
    code = (
        "import os, subprocess, sys, time\n"
        "from goldtrader.operations.watchdog import Watchdog\n"
        "child = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "watchdog = Watchdog()\n"
        f"{textwrap.dedent(behaviour)}\n"
        "time.sleep(60)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
