"""Options of every command that reads a file of prices."""

from argparse import ArgumentParser


def add_source_timezone_argument(parser: ArgumentParser) -> None:
    """Add `--source-timezone`, the clock of times that say no offset; UTC without it."""
    parser.add_argument(
        "--source-timezone",
        default="utc",
        help="clock of times without an offset: utc (default), server-eu, server-us, an IANA "
        "name or +02:00; a file's name may end in it (_UTC, _SERVER-EU, _SERVER-US)",
    )
