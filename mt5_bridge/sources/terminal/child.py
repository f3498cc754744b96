"""The process that talks to the terminal: it does the calls of the package, one after the other.

Every call of the package holds the interpreter's lock until the terminal answers. Here that stops
nothing but this process, which its parent kills and starts anew.
"""

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from mt5_bridge.sources.terminal.calls import Answer, Call, perform

HELLO = 0
"""The number of the first answer, which says that the package is loaded."""


def run(connection: Connection, package_name: str, longest: float) -> None:
    """Answer calls until the parent closes the connection or is gone.

    ``longest`` are the seconds after which a call ends this process by itself.
    """
    # Ctrl-C reaches every process of a console; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _ends_after(longest):
        try:
            package = import_module(package_name)
        except Exception as error:
            connection.send(Answer(HELLO, failure=f"{package_name} cannot be loaded: {error}"))
            return
    connection.send(Answer(HELLO))
    serve(connection, package, longest)


def serve(connection: Connection, package: Any, longest: float) -> None:
    """Answer calls in their order, until the other end is closed."""
    try:
        while True:
            call = connection.recv()
            assert isinstance(call, Call)
            with _ends_after(longest):
                answer = perform(package, call)
            connection.send(answer)
    except (EOFError, OSError):
        return


@contextmanager
def _ends_after(seconds: float) -> Iterator[None]:
    """End this process where the block takes longer, even while it holds the interpreter's lock.

    The parent would kill it earlier; but the parent may be gone. The timer of `faulthandler` is a
    thread that needs no lock.
    """
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - no path of ours
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
