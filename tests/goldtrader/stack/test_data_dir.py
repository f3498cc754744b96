import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from goldtrader.stack.data_dir import DataDir, write_private
from goldtrader.stack.errors import StackError
from tests.paths import ROOT


def test_one_at_a_time_holds_it_and_the_second_hears_who(tmp_path):
    data_dir = DataDir(tmp_path)
    second = data_dir.held(by="another")
    with data_dir.held(by="export"), pytest.raises(StackError, match="is in use by export"), second:
        pass
    with data_dir.held(by="another"):
        pass


def test_it_is_let_go_by_a_process_that_was_killed(tmp_path):
    script = (
        "import os\n"
        "from pathlib import Path\n"
        "from goldtrader.stack.data_dir import DataDir\n"
        f"with DataDir(Path({str(tmp_path)!r})).held(by='one'): os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == -9
    with DataDir(tmp_path).held(by="another"):
        pass


def test_a_holder_that_is_just_being_killed_is_waited_for(tmp_path):
    held = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    os.pwrite(held, f"manage.py stack (process {gone.pid})".encode(), 0)
    letting_go = threading.Timer(0.5, os.close, [held])
    letting_go.start()
    with DataDir(tmp_path).held(by="another"):
        pass
    letting_go.join()


def test_private_content_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys.json"
    write_private(path, {"secret": "first"})
    write_private(path, {"secret": "second"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == '{\n  "secret": "second"\n}'
    assert [found.name for found in tmp_path.iterdir()] == ["keys.json"]


def test_a_fork_that_outlives_its_holder_holds_nothing(tmp_path):
    script = (
        "import os, time\n"
        "from pathlib import Path\n"
        "from goldtrader.stack.data_dir import DataDir\n"
        f"with DataDir(Path({str(tmp_path)!r})).held(by='one'):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        time.sleep(60)\n"
        "    print(child, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    fork = int(holder.stdout.readline())
    assert holder.wait() == -9
    try:
        os.kill(fork, 0)
        # Lets it go as its first act, which may come a moment after its holder's end.
        with DataDir(tmp_path).held(by="another"):
            pass
    finally:
        os.kill(fork, signal.SIGKILL)
        holder.stdout.close()


def test_its_owner_alone_may_enter(tmp_path):
    data_dir = DataDir(tmp_path / "data")
    data_dir.prepare()
    with data_dir.held(by="a stack"):
        pass

    # Made readable by an earlier version, say.
    data_dir.path.chmod(0o755)
    data_dir.logs.chmod(0o755)
    data_dir.prepare()

    passed_through = 0o711 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE(data_dir.path.stat().st_mode) == passed_through
    assert stat.S_IMODE(data_dir.logs.stat().st_mode) == 0o700


def test_a_directory_of_somebody_else_keeps_its_mode(tmp_path):
    (tmp_path / "photo.jpg").touch()
    tmp_path.chmod(0o755)
    DataDir(tmp_path).prepare()

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
