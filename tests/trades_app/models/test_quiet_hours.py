"""Quiet hours are those of the chat's own clock, over midnight too."""

from datetime import UTC, datetime, time

import pytest

from trades_app.models.quiet_hours import is_quiet, zone_of


@pytest.mark.parametrize(
    ("hour", "begins", "ends", "quiet"),
    [
        (23, time(22), time(7), True),
        (6, time(22), time(7), True),
        (7, time(22), time(7), False),
        (12, time(22), time(7), False),
        (12, time(12), time(13), True),
        (13, time(12), time(13), False),
        (12, None, time(13), False),
        (12, None, None, False),
    ],
)
def test_hours_of_the_day(hour: int, begins: time | None, ends: time | None, quiet: bool) -> None:
    assert is_quiet(datetime(2026, 1, 5, hour, tzinfo=UTC), begins, ends, "UTC") is quiet


def test_hours_follow_the_chats_clock_through_summer_time() -> None:
    winter, summer = (datetime(2026, month, 5, 6, 30, tzinfo=UTC) for month in (1, 7))
    hours = (time(22), time(7), "Europe/London")
    assert (is_quiet(winter, *hours), is_quiet(summer, *hours)) == (True, False)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of("Europe/Atlantis")
