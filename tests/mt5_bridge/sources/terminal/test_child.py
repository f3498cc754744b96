"""The process that does the calls, by itself."""

import multiprocessing
import subprocess
import sys
import threading
import time

from mt5_bridge.files.broker_time import SERVER_EU
from mt5_bridge.sources.terminal import child
from mt5_bridge.sources.terminal.calls import Call, Method
from tests.mt5_bridge.terminal import FakeTerminal
from tests.paths import ROOT


def test_calls_are_answered_in_order_until_the_other_end_is_closed():
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=child.serve, args=(theirs, FakeTerminal(SERVER_EU), 60.0))
    thread.start()
    ours.send(Call(1, Method.INITIALIZE))
    ours.send(Call(2, Method.ACCOUNT_INFO))

    first, second = ours.recv(), ours.recv()

    assert (first.number, first.value) == (1, True)
    assert (second.number, second.value.login) == (2, 123)
    ours.close()
    thread.join(5)
    assert not thread.is_alive()


def test_a_call_that_holds_the_lock_for_ever_ends_the_process_though_the_parent_is_gone():
    code = (
        "import ctypes\n"
        "from mt5_bridge.sources.terminal.child import _ends_after\n"
        "with _ends_after(0.3):\n"
        "    ctypes.PyDLL(None).sleep(60)\n"
    )
    began = time.monotonic()

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=30)

    assert ended.returncode == 1
    assert time.monotonic() - began < 20
