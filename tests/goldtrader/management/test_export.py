"""manage.py export: the whole track record, or how much there is of it."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reports_app.track_record.export import track_record_as_json
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_signal, stored_trade

pytestmark = pytest.mark.django_db


def test_json_is_the_whole_track_record_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    stored_trade(SIGNAL, 2055.0)

    call_command("export", json=True)

    assert capsys.readouterr().out == json.dumps(track_record_as_json()) + "\n"


def test_without_json_it_says_how_much_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    stored_trade(SIGNAL, 2055.0)
    stored_signal(numbered(2))

    call_command("export")

    assert capsys.readouterr().out == "2 signals, 1 trades; --json prints them.\n"


def test_without_a_stacks_data_the_export_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(CommandError) as refusal:
        call_command("export", json=True, data_dir=tmp_path)

    assert str(refusal.value).startswith("There is no stack's data in ")
    assert refusal.value.returncode == 2
