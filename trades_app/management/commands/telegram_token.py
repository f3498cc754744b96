"""`manage.py telegram_token`: keep the bot's token encrypted, forget it, or rotate its key."""

import re
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from signals_app.management.database import add_data_dir_argument, open_database
from trades_app.notifications.telegram import token

_FORM = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{3,100}")


class Command(BaseCommand):
    """Reads the token from standard input, so that it stands in no command line."""

    help = "Keep the Telegram bot's token in the database, encrypted; read from standard input."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what to do instead of reading one."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--rotate",
            action="store_true",
            help="encrypt the stored token again, with the first of FIELD_ENCRYPTION_KEYS",
        )
        what.add_argument("--forget", action="store_true", help="remove the stored token")
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        """Do what was asked, and say what holds now."""
        given = "" if options["rotate"] or options["forget"] else _read()
        try:
            with open_database(options["data_dir"], by="telegram_token"):
                done = _do(given, rotate=options["rotate"])
        except token.KeyRingError as wrong:
            raise CommandError(str(wrong), returncode=2) from None
        self.stdout.write(done)


def _read() -> str:
    text = getpass("Token of @BotFather: ") if sys.stdin.isatty() else sys.stdin.readline()
    given = text.strip()
    if not _FORM.fullmatch(given):
        raise CommandError(
            "That is no bot token: @BotFather gives a number, a colon and the secret.", returncode=2
        )
    return given


def _do(given: str, *, rotate: bool) -> str:
    if rotate:
        rotated = token.rotate()
        return "Encrypted with the first key." if rotated else "No token is stored."
    token.store(given)
    if not given:
        return "No token is stored now."
    if settings.TELEGRAM_BOT_TOKEN:
        return "Stored. TELEGRAM_BOT_TOKEN is set, and used before it: remove it there."
    return "Stored, encrypted. It is used from now on."
