"""Reports of the connector to the server, repeated until the server is known to have them."""

from dataclasses import dataclass, field
from typing import Final

from mt5_bridge.protocol import wire

MAXIMUM_REPORTS: Final = 100
"""Reports that the server has not confirmed; the oldest beyond that are given up."""


@dataclass(slots=True)
class _Report:
    """`sent_behind` heartbeats had gone out when it was sent; None where it was not sent yet."""

    error: wire.Error
    sent_behind: int | None = None


@dataclass(slots=True)
class ReportQueue:
    """Reports, oldest first, that no answer to a heartbeat has confirmed.

    An `error` message has no answer of its own. But the server reads in order: once it answers a
    heartbeat that went out behind a report, it has read the report.
    """

    _reports: list[_Report] = field(default_factory=list)

    def add(self, error: wire.Error) -> None:
        """Queue a report; of those that wait for a connection the newest of each code is kept."""
        kept = [
            report
            for report in self._reports
            if report.sent_behind is not None or report.error.code != error.code
        ]
        self._reports = [*kept, _Report(error)][-MAXIMUM_REPORTS:]

    def connected(self) -> None:
        """Send all of them again: what an older connection carried may never have arrived."""
        for report in self._reports:
            report.sent_behind = None

    def take_unsent(self, heartbeats_sent: int) -> list[wire.Error]:
        """The reports to send now; they count as sent."""
        unsent = [report for report in self._reports if report.sent_behind is None]
        for report in unsent:
            report.sent_behind = heartbeats_sent
        return [report.error for report in unsent]

    def confirm(self, heartbeats_answered: int) -> None:
        """Drop the reports that were sent before the last answered heartbeat."""
        self._reports = [
            report
            for report in self._reports
            if report.sent_behind is None or report.sent_behind >= heartbeats_answered
        ]
