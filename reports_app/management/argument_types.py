"""Values of the command line as `argparse` reads them, each refused with one sentence."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from reports_app.experiments.candidates import read_range
from reports_app.track_record.proof import Published
from signals_app.confluence.limits import BadParameter
from signals_app.market.calendar import milliseconds
from signals_app.market.symbols import UnknownSymbol, normalised_symbol

_PUBLISHED = re.compile(r"(\d{4}-\d{2}-\d{2}):([0-9a-fA-F]{64})")


def moment(text: str) -> int:
    """Read a date or time, UTC where it has no offset, as Unix milliseconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date or time like 2014-05-01") from None
    return milliseconds(found if found.tzinfo else found.replace(tzinfo=UTC))


def end(text: str) -> int:
    """Read where a span ends, itself outside: a time, or a date whose whole day is inside."""
    try:
        day_of_end = date.fromisoformat(text)
    except ValueError:
        return moment(text)
    return _midnight(day_of_end + timedelta(days=1))


def day(text: str) -> int:
    """Read a date as the Unix milliseconds at which its UTC day begins."""
    try:
        return _midnight(date.fromisoformat(text))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day like 2013-01-31") from None


def symbol(text: str) -> str:
    """Read a symbol, in capitals."""
    try:
        return normalised_symbol(text)
    except UnknownSymbol as error:
        raise ArgumentTypeError(str(error)) from None


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Read a whole number from 0 on."""
    return _whole(text, 0)


def parameter_range(text: str) -> tuple[str, tuple[float | None, ...]]:
    """Read a parameter's name and the values to try of it."""
    try:
        return read_range(text)
    except BadParameter as bad:
        raise ArgumentTypeError(str(bad)) from None


def writable_file(text: str) -> Path:
    """Read the path of a file to write: before minutes of work, since its directory must exist."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no directory {path.parent}; make it first")
    return path


def published_digest(text: str) -> Published:
    """Read a report's last day and the digest it published, as DATE:DIGEST."""
    noted = _PUBLISHED.fullmatch(text.strip())
    if noted is None:
        raise ArgumentTypeError("write it as 2024-01-05:DIGEST, with all 64 digits of the digest")
    try:
        return Published(date.fromisoformat(noted[1]), noted[2].lower())
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _whole(text: str, lowest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise ArgumentTypeError(f"{text!r} is no whole number from {lowest} on")
    return number


def _midnight(day_: date) -> int:
    return milliseconds(datetime(day_.year, day_.month, day_.day, tzinfo=UTC))
