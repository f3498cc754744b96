"""Ports for servers that tests start, which nobody else on the machine is given meanwhile.

A free port that the kernel names may be given to another test before a server listens on it. So
each process of tests holds a block of ports, below those that the kernel gives out by itself, by
listening on the first of them, and goes round in the rest.
"""

import itertools
import socket
from collections.abc import Iterator
from functools import cache

from goldtrader.stack import ports

_FIRST, _BLOCK, _LAST = 15_000, 100, 32_000


def free_port() -> int:
    """Return a free port of our block; the same one comes again only after all others."""
    return next(port for port in _block()[1] if ports.is_free(port))


@cache
def _block() -> tuple[socket.socket, Iterator[int]]:
    for first in range(_FIRST, _LAST, _BLOCK):
        holder = socket.socket()
        try:
            holder.bind((ports.LOOPBACK, first))
            holder.listen()
        except OSError:
            holder.close()
        else:
            return holder, itertools.cycle(range(first + 1, first + _BLOCK))
    raise RuntimeError(f"All blocks of ports from {_FIRST} to {_LAST} are held.")
