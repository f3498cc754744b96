"""How beat ends."""

import os
import signal
import subprocess
import sys

from tests.paths import ROOT


def test_beat_ends_although_its_signal_comes_while_the_driver_waits() -> None:
    # What holds a lock that saving the timetable needs, as the driver's own does.
    script = (
        "import os, signal, threading, time\n"
        "from goldtrader.operations import beat\n"
        "lock = threading.Lock()\n"
        "beat.ENDING_SECONDS = 1.0\n"
        "beat._end_on_main_path()\n"
        "try:\n"
        "    with lock:\n"
        "        print('up', flush=True)\n"
        "        time.sleep(60)\n"
        "finally:\n"
        "    with lock:\n"
        "        print('saved', flush=True)\n"
        "        time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "goldtrader.settings"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"

    process.send_signal(signal.SIGTERM)

    assert process.stdout.readline() == "saved\n"
    assert process.wait(10) == 1
    process.stdout.close()
