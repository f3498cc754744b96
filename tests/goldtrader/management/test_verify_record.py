"""manage.py verify_record: what holds, in lines, or the first violation and exit code 1."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reports_app.models import RecordDay
from reports_app.track_record.proof import verify
from signals_app.models import Signal
from tests.reports_app.track_record.records import make_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def record() -> None:
    """Friday: one lost, one won, sealed; Monday: one that runs."""
    make_record()


@pytest.fixture
def export(record: None, tmp_path: Path) -> Path:
    """What manage.py export prints, in a file."""
    file = tmp_path / "export.json"
    with file.open("w") as printed:
        call_command("export", json=True, stdout=printed)
    return file


def verified(*arguments: object) -> list[str]:
    printed = StringIO()
    call_command("verify_record", *map(str, arguments), stdout=printed)
    return printed.getvalue().splitlines()


def test_a_follower_checks_an_export_against_the_reports(export: Path) -> None:
    head = verify()[0].head
    digest = RecordDay.objects.get().digest

    assert verified("--export", export, "--expect", f"2024-01-05:{digest}") == [
        f"XAUUSD: 3 signals, 12 events, 2 days; head 2024-01-08:{head.digest}",
        f"It is the record that was published: 2024-01-05:{digest}",
        "The record holds.",
    ]
    assert verified("--export", export)[-1].startswith("The export agrees with itself; --expect")


def test_a_forged_export_is_refused_with_exit_code_1(export: Path) -> None:
    content = json.loads(export.read_text())
    content["trades"][0]["profit_loss"] = 5000.0
    export.write_text(json.dumps(content))

    with pytest.raises(
        CommandError, match=r"^BROKEN: The trade of XAU_20240105_001 says"
    ) as broken:
        verified("--export", export)
    assert broken.value.returncode == 1


def test_a_file_that_cannot_be_read_is_no_violation(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read") as refusal:
        verified("--export", tmp_path / "none.json")
    assert refusal.value.returncode == 2


def test_a_digest_is_expected_with_its_date() -> None:
    with pytest.raises(CommandError, match="write it as 2024-01-05:DIGEST"):
        verified("--expect", "a3f0")


def test_the_command_says_what_holds_and_where_it_breaks(record: None) -> None:
    first, last = verified()
    assert first.startswith("XAUUSD: 3 signals, 12 events, 1 days sealed; head 2024-01-08:")
    assert last == "The record holds."

    Signal.objects.filter(pk="XAU_20240105_002").update(direction="SELL")
    with pytest.raises(CommandError, match=r"^BROKEN: Signal XAU_20240105_002") as broken:
        call_command("verify_record")
    assert broken.value.returncode == 1
