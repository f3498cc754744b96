"""`manage.py verify_record`: whether anything in the record was removed, changed or back-dated."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from goldtrader.stack.errors import StackError
from goldtrader.stack.use import use_data_dir
from reports_app.services.record import Broken, Proof, verify


class Command(BaseCommand):
    """Exit code 0 and each instrument's head where the record holds, otherwise 1 and a sentence."""

    help = "Prove that no signal and no trade event was removed, changed or back-dated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where the database is."""
        parser.add_argument("--data-dir", type=Path, help="an embedded stack's data directory")

    def handle(self, **options: Any) -> None:
        """Verify, and say what was found."""
        try:
            with use_data_dir(options["data_dir"] or settings.DATA_DIR, by="verify_record"):
                proofs = verify()
        except StackError as error:
            raise CommandError(str(error), returncode=2) from None
        except Broken as broken:
            raise CommandError(f"BROKEN: {broken}", returncode=1) from None
        for proof in proofs:
            self.stdout.write(_told(proof))
        self.stdout.write("The record holds." if proofs else "The record holds; it is empty.")


def _told(proof: Proof) -> str:
    before = f", {proof.unlinked} entries from before the record" if proof.unlinked else ""
    return (
        f"{proof.instrument}: {proof.signals} signals, {proof.events} events, "
        f"{proof.days} days sealed{before}; head {proof.head or '-'}"
    )
