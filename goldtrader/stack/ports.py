"""Loopback ports: which are free, and a clear error about one that is taken."""

import socket

from goldtrader.stack.errors import StackError

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on ``port`` of ``host`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that linger after a restart do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, option: str, host: str = LOOPBACK) -> None:
    """Raise `StackError` naming ``port`` and the ``option`` that chooses another."""
    if not 0 < port < 65536:
        raise StackError(f"{option} {port} is not a port number.")
    if not is_free(port, host):
        raise StackError(f"Port {port} is taken or not allowed; choose another with {option}.")


def choose_free(*preferred: int) -> int:
    """The first preferred port that is free, otherwise any free one.

    Another program may take it before it is used: whoever listens on it must be ready to retry.
    """
    for port in preferred:
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
