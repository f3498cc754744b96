"""`mt5-bridge install-task` and `uninstall-task`: Windows starts the connector, and again."""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PureWindowsPath
from typing import Final

from mt5_bridge.connector.config import read_setup
from mt5_bridge.connector.config_file import CONFIG_FILE, ConfigError, read_config_file
from mt5_bridge.connector.options import DEFAULT_NAME, OptionParser
from mt5_bridge.connector.task_definition import TaskDefinition

_FOLDER: Final = "GoldTrader"
_PROGRAM: Final = "schtasks"
_FORBIDDEN: Final = frozenset('\\/:*?"<>|')
_WITHIN: Final = 60.0


def install_task(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Make the task, or replace it, and start it; raises `ConfigError`."""
    given = task_parser("install-task").parse_args(arguments)
    config = Path(given.config or CONFIG_FILE).absolute()
    # A task with a mistake in its settings would fail once a minute, unseen.
    read_setup(["--config", str(config)])
    definition = TaskDefinition(
        name=_task_name(given.task, given.config),
        python=PureWindowsPath(Path(sys.executable).with_name("pythonw.exe")),
        config=PureWindowsPath(config),
        user=_user(),
    )
    if given.print:
        say(definition.xml().decode("utf-16"))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.xml"
        file.write_bytes(definition.xml())
        _schtasks("/Create", "/TN", definition.name, "/XML", str(file), "/F")
    _schtasks("/Run", "/TN", definition.name)
    say(
        f"the task {definition.name} starts the connector at login, and within a minute of its "
        "end; it is running now (mt5-bridge status)"
    )
    return 0


def uninstall_task(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """End the connector that the task runs, and delete the task; raises `ConfigError`."""
    given = task_parser("uninstall-task").parse_args(arguments)
    name = _task_name(given.task, given.config)
    _schtasks("/Query", "/TN", name)
    _schtasks("/End", "/TN", name)
    _schtasks("/Delete", "/TN", name, "/F")
    say(f"the task {name} is deleted, and what it ran has ended")
    return 0


def task_parser(command: str) -> OptionParser:
    """The options of either command."""
    parser = OptionParser(
        prog=f"python -m mt5_bridge {command}",
        description="A task of Windows' Task Scheduler that keeps the connector running, in the "
        "session of the account that calls this.",
    )
    parser.add_argument("--config", help=f"the settings file (default {CONFIG_FILE})")
    parser.add_argument("--task", help=f"the task's name (default {_FOLDER}\\NAME)")
    if command == "install-task":
        parser.add_argument("--print", action="store_true", help="only show the definition")
    return parser


def _task_name(given: str | None, config: str | None) -> str:
    name = str(given or read_config_file(config).get("name", DEFAULT_NAME))
    if not name or _FORBIDDEN & set(name):
        raise ConfigError(
            f"{name!r} is no name of a task: leave out {' '.join(sorted(_FORBIDDEN))}"
        )
    return f"{_FOLDER}\\{name}"


def _user() -> str:
    domain, name = os.environ.get("USERDOMAIN", ""), getpass.getuser()
    return f"{domain}\\{name}" if domain else name


def _schtasks(*arguments: str) -> None:
    program = shutil.which(_PROGRAM)
    if program is None:
        raise ConfigError(
            "there is no Task Scheduler here, which is a part of Windows; install-task --print "
            "shows the task's definition"
        )
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{_PROGRAM} {arguments[0]} does not answer: {error}") from None
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())
        raise ConfigError(f"{_PROGRAM} {arguments[0]} was refused: {reason}")
