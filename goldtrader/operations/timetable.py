"""Beat's timetable on a clock that may be set."""

import time
from datetime import datetime
from typing import Any

from celery.schedules import schedstate
from django_celery_beat import schedulers
from django_celery_beat.utils import now

#: Seconds by which the clock has to jump back; smaller corrections happen all the time.
_JUMP = 1.0


class TimetableEntry(schedulers.ModelEntry):  # type: ignore[misc]
    """A task of the timetable; a last run in the future counts as one of now."""

    last_run_at: datetime

    def is_due(self) -> schedstate:
        """Whether it is due, and in how many seconds it is to be looked at again."""
        current = now()
        if self.last_run_at > current:
            # The clock was ahead then: waiting for that moment could take days.
            self.last_run_at = self.model.last_run_at = current
        due: schedstate = super().is_due()
        return due


class Scheduler(schedulers.DatabaseScheduler):  # type: ignore[misc]
    """The timetable in the database; it is ordered anew when the clock was set back."""

    Entry = TimetableEntry

    def __init__(self, *args: Any, **options: Any) -> None:
        self._clock = _wall_over_monotonic()
        super().__init__(*args, **options)

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send what is due; the seconds until the next look."""
        clock = _wall_over_monotonic()
        if clock < self._clock - _JUMP:
            # It orders tasks by the moments when they are due, and asks only for the first.
            self._heap = None
        self._clock = clock
        return super().tick(*args, **options)


def _wall_over_monotonic() -> float:
    return time.time() - time.monotonic()
