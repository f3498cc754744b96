"""How long work says how far it is."""

import pytest

from signals_app.importers.progress import OnProgress, no_progress


def test_who_wants_to_see_nothing_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    on_progress: OnProgress = no_progress
    on_progress(1, 2, "ticks")

    assert capsys.readouterr() == ("", "")
