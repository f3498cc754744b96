import os
import stat

import pytest

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.scheduled_task import install_task, uninstall_task

CONFIG = """\
source = "mt5"
name = "mt5-london"
url = "wss://a.org:8765/ws/v1/ticks"
token = "s3cret"
"""
SCHTASKS = """\
#!/bin/sh
echo "$@" >> {log}
for word in "$@"; do
  case $word in *task.xml) cp "$word" {folder}/registered.xml;; esac
done
if [ "$1" = "{refuses}" ]; then echo "ERROR: Access is denied." >&2; exit 1; fi
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mt5_bridge.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def schtasks(folder, monkeypatch):
    """A stand-in for Windows' program; returns what it was asked, line by line."""

    def put(refuses="nothing"):
        program = folder / "bin" / "schtasks"
        program.parent.mkdir(exist_ok=True)
        log = folder / "asked"
        program.write_text(SCHTASKS.format(log=log, folder=folder, refuses=refuses))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return lambda: log.read_text().splitlines()

    return put


def test_the_task_is_made_started_and_deleted(schtasks, folder):
    asked, said = schtasks(), []
    assert install_task([], said.append) == 0
    made, started = asked()
    assert made.startswith("/Create /TN GoldTrader\\mt5-london /XML ")
    assert made.endswith("task.xml /F")
    assert started == "/Run /TN GoldTrader\\mt5-london"
    xml = (folder / "registered.xml").read_bytes().decode("utf-16")
    assert f"--config {folder}".replace("/", "\\") in xml
    assert "pythonw.exe" in xml
    assert "s3cret" not in xml
    assert uninstall_task([], said.append) == 0
    assert asked()[2:] == [
        "/Query /TN GoldTrader\\mt5-london",
        "/End /TN GoldTrader\\mt5-london",
        "/Delete /TN GoldTrader\\mt5-london /F",
    ]
    assert "the task GoldTrader\\mt5-london" in said[0]


def test_what_windows_refuses_is_one_sentence(schtasks):
    schtasks(refuses="/Create")
    with pytest.raises(ConfigError, match="/Create was refused: ERROR: Access is denied"):
        install_task([], lambda _: None)


def test_settings_that_are_wrong_make_no_task(schtasks, folder):
    asked = schtasks()
    (folder / "mt5_bridge.toml").write_text('source = "mt5"\nname = "a"\n')
    with pytest.raises(ConfigError, match="give --token-url and an API key"):
        install_task([], lambda _: None)
    with pytest.raises(ConfigError, match="is no name of a task"):
        uninstall_task(["--task", "a\\b"], lambda _: None)
    with pytest.raises(FileNotFoundError):
        asked()


def test_elsewhere_than_on_windows_it_says_so_and_shows_the_definition(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ConfigError, match="there is no Task Scheduler here"):
        install_task([], lambda _: None)
    said = []
    assert install_task(["--print", "--task", "mine"], said.append) == 0
    assert "<URI>\\GoldTrader\\mine</URI>" in said[0]
