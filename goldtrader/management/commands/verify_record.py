"""`manage.py verify_record`: proves that no signal or trade event was removed or changed."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports_app.management.argument_types import published_digest
from reports_app.track_record.export_proof import verify_export
from reports_app.track_record.proof import Proof, Published, verify
from reports_app.track_record.violation import Violation
from signals_app.management.database import add_data_dir_argument, open_database


class Command(BaseCommand):
    """Exit code 0 and each instrument's head where all of it holds, else 1 and a sentence."""

    help = "Prove that no signal and no trade event was removed, changed or back-dated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add where the track record is, and what was published of it."""
        add_data_dir_argument(parser)
        parser.add_argument(
            "--export", type=Path, metavar="FILE", help="what export --json printed; no database"
        )
        parser.add_argument(
            "--expect",
            type=published_digest,
            action="append",
            default=[],
            metavar="DATE:DIGEST",
            help="a report's last day and its digest, or a head; again for more",
        )

    def handle(self, **options: Any) -> None:
        """Verify, and say what was found."""
        expected: list[Published] = options["expect"]
        try:
            if options["export"] is not None:
                proofs = verify_export(_read(options["export"]), expected)
            else:
                with open_database(options["data_dir"], by="verify_record"):
                    proofs = verify(expected)
        except Violation as violation:
            raise CommandError(f"BROKEN: {violation}", returncode=1) from None
        for proof in proofs:
            self.stdout.write(_line(proof))
        for noted in expected:
            self.stdout.write(f"It is the record that was published: {noted.date}:{noted.digest}")
        self.stdout.write(_verdict(proofs, is_export=options["export"] is not None, noted=expected))


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {error}", returncode=2) from None


def _line(proof: Proof) -> str:
    days = f"{len(proof.days)} days" if proof.sealed is None else f"{proof.sealed} days sealed"
    head = f"{proof.head.date}:{proof.head.digest}" if proof.head else "-"
    return (
        f"{proof.instrument}: {proof.signals} signals, {proof.events} events, {days}; head {head}"
    )


def _verdict(proofs: list[Proof], *, is_export: bool, noted: list[Published]) -> str:
    if not proofs:
        return "The record holds; it is empty."
    if is_export and not noted:
        # Whoever made the export could have made all of it: links alone prove nothing here.
        return "The export agrees with itself; --expect says whether it is what was published."
    return "The record holds."
