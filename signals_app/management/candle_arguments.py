"""Options of every command that reads a file of prices."""

import re
from argparse import ArgumentParser

# For argparse `-05:00` is an option, unless it looks like a negative number.
_NEGATIVE = re.compile(r"-\d+(?::?\d+)?|-\d*\.\d+")


def add_source_timezone_argument(parser: ArgumentParser) -> None:
    """Add `--source-timezone`, the clock of times that say no offset; UTC without it.

    An offset west of UTC needs no equals sign.
    """
    parser._negative_number_matcher = _NEGATIVE
    parser.add_argument(
        "--source-timezone",
        default="utc",
        help="clock of times without an offset: utc (default), server-eu, server-us, an IANA "
        "name, +02:00 or -05:00; a file's name may end in it (_UTC, _SERVER-EU, _SERVER-US)",
    )
