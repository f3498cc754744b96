"""`python -m mt5_bridge`: the connector as a program."""

import logging
import os
import sys
from collections.abc import Sequence

from mt5_bridge.connector import logs
from mt5_bridge.connector.config import log_directory, read_setup, spool_of
from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.running import BAD_INPUT, run_alone, run_stream
from mt5_bridge.connector.scheduled_task import install_task, uninstall_task
from mt5_bridge.connector.store_key import store_key
from mt5_bridge.connector.streams_status import forget_streams, show_all
from mt5_bridge.connector.supervisor import ConnectorSupervisor

log = logging.getLogger("mt5_bridge")


def run() -> None:
    """Run the program with the command line's arguments, and end with its exit code."""
    code = main(sys.argv[1:])
    if logs.finish():
        # A console that hangs would keep the interpreter from ending.
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for; return the exit code.

    2 says that a setting or an input is wrong, so that starting it again does not help.
    """
    try:
        match arguments[:1]:
            case ["status"]:
                return show_all(spool_of(arguments[1:]), logs.say)
            case ["store-key"]:
                return store_key(arguments[1:], logs.say)
            case ["install-task"]:
                return install_task(arguments[1:], logs.say)
            case ["uninstall-task"]:
                return uninstall_task(arguments[1:], logs.say)
        setup = read_setup(arguments)
    except ConfigError as error:
        logs.complain(str(error), log_directory(arguments))
        return BAD_INPUT
    logs.set_up(setup.spool)
    if setup.warning:
        log.warning("%s", setup.warning)
    if len(setup.streams) > 1:
        return ConnectorSupervisor(setup.streams, setup.spool, run_stream).run()
    forget_streams(setup.spool)
    return run_alone(setup.streams[0])


if __name__ == "__main__":
    run()
