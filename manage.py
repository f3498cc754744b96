#!/usr/bin/env python
"""The product's command line: `manage.py stack`, `backtest`, `smc`, `candles`, Django's own."""

import os
import pwd
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals_app.actor import Actor

#: What a shell says of a program that SIGPIPE ended.
_CLOSED_OUTPUT = 141
#: Commands that serve others, who say for themselves who they are.
_SERVERS = frozenset({"gateway", "runserver", "telegram_bot"})


def main() -> None:
    """Run one command; `--data-dir` is read before Django loads, since settings depend on it."""
    _without_optimisation()
    if not os.environ.get("DJANGO_SETTINGS_MODULE", "").startswith("goldtrader."):
        # Before anything of ours is imported: Celery looks for it.
        os.environ["DJANGO_SETTINGS_MODULE"] = "goldtrader.settings"
    _load_environment()
    data_dir = _option(sys.argv, "--data-dir")
    if data_dir is not None:
        os.environ["DATA_DIR"] = data_dir
    if sys.argv[1:2] == ["stack"]:
        # It chooses what Django's settings say before Django is loaded, once for all its parts.
        from goldtrader.stack.command import main as run_stack

        sys.exit(run_stack(sys.argv[2:]))
    from goldtrader.management.django_commands import execute
    from signals_app.actor import acting

    try:
        with acting(_actor(sys.argv[1:2])):
            execute(sys.argv)
    except BrokenPipeError:
        if not _is_output_closed():
            raise
        sys.exit(_CLOSED_OUTPUT)


def _actor(command: "Sequence[str]") -> "Actor":
    """The account of this machine that runs a command; a server acts for the product."""
    from signals_app.actor import SYSTEM, Actor, Door

    if not command or command[0] in _SERVERS:
        return SYSTEM
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"uid {os.getuid()}"
    return Actor(Door.COMMAND, account, via=f"manage.py {command[0]}")


def _is_output_closed() -> bool:
    """Whether whoever read the output wants no more of it, as `head` does; then none is kept."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    if not any(happened & select.POLLERR for _, happened in output.poll(0)):
        return False
    # What is left would fail again when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _without_optimisation() -> None:
    """Start Python anew where PYTHONOPTIMIZE, meant for another program, took the help texts."""
    if sys.flags.optimize and os.environ.pop("PYTHONOPTIMIZE", None):
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - itself


def _load_environment() -> None:
    from goldtrader import environment

    try:
        environment.load()
    except environment.SettingRefused as refused:
        sys.stderr.write(f"{refused}\n")
        sys.exit(2)


def _option(arguments: list[str], name: str) -> str | None:
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
        if argument == name and place + 1 < len(arguments):
            return arguments[place + 1]
    return None


if __name__ == "__main__":
    main()
