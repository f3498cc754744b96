"""Whether the servers that a stack needs answer yet."""

import http
import http.client
import json
import socket
from urllib.parse import urlsplit

import psycopg

from goldtrader.stack.errors import StackError
from goldtrader.stack.ports import LOOPBACK


def missing(port: int) -> str | None:
    """The parts that are down by the web server's own health; None once none is."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5.0)
    try:
        connection.request("GET", "/api/v1/health")
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return None
        parts = json.loads(answer.read())["components"]
        return ", ".join(sorted(name for name, state in parts.items() if state == "down"))
    except (OSError, http.client.HTTPException):
        return "web"
    except (ValueError, KeyError, AttributeError):
        return f"web (it answers {answer.status})"
    finally:
        connection.close()


def listens(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def require_database(url: str) -> None:
    """Raise `StackError` where the database that the user named does not let us in."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise StackError(f"The database of DATABASE_URL is not usable: {reason}") from error


def require_redis(url: str) -> None:
    """Raise `StackError` where nothing listens at the address that the user named."""
    address = urlsplit(url)
    host, port = address.hostname or LOOPBACK, address.port or 6379
    if not listens(port, host):
        raise StackError(f"No Redis of REDIS_URL answers at {host}:{port}.")
