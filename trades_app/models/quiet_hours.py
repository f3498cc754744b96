"""Hours of the day in which a chat gets its messages without sound."""

from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; raises `ValueError` with a sentence."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is no time zone. Give one such as UTC, Europe/London or America/New_York."
        ) from None


def is_quiet(moment: datetime, begins: time | None, ends: time | None, zone: str) -> bool:
    """Whether a moment lies in the quiet hours; `ends` is the first that does not.

    Hours that end before they begin go over midnight. None at all where one of them is missing.
    """
    if begins is None or ends is None:
        return False
    local = moment.astimezone(zone_of(zone)).time()
    return begins <= local < ends if begins <= ends else local >= begins or local < ends
