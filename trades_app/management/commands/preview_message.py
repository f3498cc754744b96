"""`manage.py preview_message`: a message as followers see it, without Telegram."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signals_app.management.database import add_data_dir_argument, open_database
from trades_app.notifications import kinds, preview
from trades_app.notifications.content import wording
from trades_app.notifications.rendered import Rendered


class Command(BaseCommand):
    """Prints the text as it is sent first and, for a signal, as it stands now."""

    help = "Show the very text and picture of a message, before and after."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add which message, and where its picture goes."""
        parser.add_argument("message", help="a signal's id, or the key of any message")
        parser.add_argument(
            "--png", type=Path, metavar="FILE", help="write the picture; a later one as FILE-now"
        )
        parser.add_argument(
            "--numbers", choices=sorted(wording.NUMBERS), default="EN", help="how numbers look"
        )
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        """Print the texts and write the pictures."""
        name, png = options["message"], options["png"]
        with open_database(options["data_dir"], by="preview_message"):
            message = preview.find(name)
            if message is None:
                raise CommandError(
                    f"There is no message or signal {name!r}; the admin lists them under Messages.",
                    returncode=2,
                )
            try:
                shown = preview.preview(message, options["numbers"])
            except kinds.Unreadable as unreadable:
                raise CommandError(str(unreadable), returncode=2) from None
        self._show("As it is sent first", shown.first, png)
        if shown.now is not None:
            later = png and png.with_stem(f"{png.stem}-now")
            self._show("As it stands now", shown.now, later)

    def _show(self, title: str, content: Rendered, png: Path | None) -> None:
        self.stdout.write(f"── {title}\n{content.plain_text}\n")
        if content.copy_text:
            self.stdout.write(f"[📋 Copy order] {content.copy_text}\n")
        if png is None:
            return
        if content.picture is None:
            self.stdout.write("There is no picture of it.")
            return
        try:
            png.write_bytes(content.picture)
        except OSError as error:
            reason = f"{png} cannot be written: {error.strerror}."
            raise CommandError(reason, returncode=2) from None
        self.stdout.write(f"The picture is in {png}.\n")
