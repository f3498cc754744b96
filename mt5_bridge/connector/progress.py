"""What the running connector has done and how it stands, kept for `status`, summary and log."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mt5_bridge.connector.clocks import wall_ms
from mt5_bridge.connector.status import ConnectorStatus, write_status
from mt5_bridge.sources.log_limiter import LogLimiter

log = logging.getLogger("mt5_bridge")

# Seconds after which a trouble that lasts is logged again.
_LOG_AGAIN: Final = 600.0


class Progress:
    """The connector's status, changed as things happen."""

    def __init__(self, status: ConnectorStatus, directory: Path | None) -> None:
        """``directory`` is where `write` puts the status; None is nowhere."""
        self.status = status
        self._directory = directory
        self._highest_seq: int | None = None
        self._log_limiter = LogLimiter(every=_LOG_AGAIN)
        self._began = time.monotonic()

    def update(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)

    def logged_in(self, connector: str) -> None:
        self._log_limiter.reset()
        self.update(line="connected", connector=connector, last_error="")
        log.info("connected to %s as %s", self.status.url, connector)

    def disconnected(self) -> None:
        self.update(line="not connected", reconnects=self.status.reconnects + 1)

    def failed(self, sentence: str) -> None:
        """Log what went wrong, unless it has just been logged, and show it in the status."""
        if self._log_limiter.is_due(sentence, time.monotonic()):
            log.warning("%s", sentence)
        self.update(last_error=sentence)

    def count_read(self, count: int, refused: int, last_tick_ms: int) -> None:
        """Count ticks that were read, with those of them that were refused."""
        self.update(
            read=self.status.read + count,
            refused=self.status.refused + refused,
            last_tick_ms=last_tick_ms,
        )

    def count_sent(self, count: int) -> None:
        self.update(sent=self.status.sent + count)

    def count_acknowledged(self, seq: int, acknowledged_before: int) -> None:
        """Count what is new up to ``seq``; the first call counts from ``acknowledged_before``."""
        if self._highest_seq is None:
            self._highest_seq = acknowledged_before
        # What a forgetful server acknowledges for the second time is counted once.
        new = max(seq - self._highest_seq, 0)
        self._highest_seq += new
        self.update(acknowledged=self.status.acknowledged + new, last_ack_ms=wall_ms())

    def write(self) -> None:
        self.update(written_ms=wall_ms())
        if self._directory is not None:
            write_status(self._directory, self.status)

    def summary(self, waiting: int) -> str:
        """What was done, in one line; ``waiting`` ticks are not acknowledged."""
        status = self.status
        seconds = time.monotonic() - self._began
        return (
            f"{status.symbol}: {status.read:,} ticks read, {status.refused:,} refused, "
            f"{status.sent:,} sent, {status.acknowledged:,} acknowledged, "
            f"{waiting:,} waiting, in {seconds:.1f} s"
        )
