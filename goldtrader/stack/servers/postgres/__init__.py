"""PostgreSQL, launched from its wheel on loopback, its cluster in the data directory.

It refuses to run as root. Started by root it therefore runs as an account without privileges, which
must be able to reach its programs and its cluster: where it cannot (a checkout in root's home),
both go to a directory of their own that only that account may enter, and the data directory
remembers where. No directory of the user's is ever opened to others.
"""

from goldtrader.stack.servers.postgres.home import ClusterHome, home_of, remove
from goldtrader.stack.servers.postgres.server import (
    DURABLE,
    THROWN_AWAY,
    Postgres,
    start,
    stop,
    stop_left_over,
)

__all__ = (
    "DURABLE",
    "THROWN_AWAY",
    "ClusterHome",
    "Postgres",
    "home_of",
    "remove",
    "start",
    "stop",
    "stop_left_over",
)
