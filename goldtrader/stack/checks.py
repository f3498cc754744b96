"""Checks everything that can be wrong before anything is started or written."""

import os
import time
from dataclasses import dataclass

from goldtrader.stack import ports
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.errors import StackError
from goldtrader.stack.feed import Feed, choose_feed
from goldtrader.stack.history import HistoryFile, check_history, find_history
from goldtrader.stack.options import StackOptions


@dataclass(frozen=True, slots=True)
class StackPlan:
    """Options that were checked, and the files they name, read to their ends."""

    options: StackOptions
    data_dir: DataDir
    feed: Feed | None
    history: tuple[HistoryFile, ...]


def check(options: StackOptions) -> StackPlan:
    """What to start; raises `StackError` with one sentence for what cannot work."""
    if options.workers < 1:
        raise StackError(f"--workers {options.workers} is too few: the pipeline needs one.")
    history = (
        () if options.history is None else find_history(options.history, options.source_timezone)
    )
    check_history(history)
    feed = choose_feed(
        options.feed,
        symbol=options.symbol,
        speed=options.speed,
        source_timezone=options.source_timezone,
    )
    if options.exit_when_done and (feed is None or feed.path is None):
        raise StackError("--exit-when-done needs a feed that ends: give a file to --feed.")
    data_dir = DataDir(options.data_dir.expanduser().resolve())
    return StackPlan(options, data_dir, feed, history)


def require_free_ports(options: StackOptions, *, wait_seconds: float = 0.0) -> None:
    """Raise `StackError` for a port that is taken, naming the option that chooses another.

    One that is held for so long by a process that is just ending is waited for.
    """
    if options.port == options.gateway_port:
        raise StackError(f"--port and --gateway-port are both {options.port}; they must differ.")
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline and not _are_free(options):
        time.sleep(0.05)
    ports.require_free(options.port, option="--port")
    ports.require_free(options.gateway_port, option="--gateway-port", host=gateway_host())


def _are_free(options: StackOptions) -> bool:
    return ports.is_free(options.port) and ports.is_free(options.gateway_port, gateway_host())


def gateway_host() -> str:
    """Where the gateway is to listen: GATEWAY_HOST, by default loopback."""
    return os.environ.get("GATEWAY_HOST", ports.LOOPBACK)
