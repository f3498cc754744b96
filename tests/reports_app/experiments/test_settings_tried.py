"""Settings tried on a file are counted by its content, each once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from reports_app.experiments.settings_tried import count_settings
from signals_app.confluence.parameters import Parameters
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument

GOLD, EURO = DEFAULT_INSTRUMENTS[:2]
DEFAULTS, OTHER = Parameters(), Parameters(threshold=85.0)


@dataclass
class File:
    """What of a market is looked at."""

    path: Path
    instrument: Instrument = GOLD


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path: Path) -> File:
    path = tmp_path / "ticks.csv"
    path.write_text("timestamp_ms,bid,ask\n")
    return File(path)


def test_what_was_tried_before_counts_once(file: File) -> None:
    assert count_settings(file, [DEFAULTS]) == 1
    assert count_settings(file, [DEFAULTS, OTHER, OTHER]) == 2
    assert count_settings(file, []) == 2


def test_a_copy_is_the_same_file_and_another_symbol_another_setting(
    file: File, tmp_path: Path
) -> None:
    count_settings(file, [DEFAULTS])
    copy = tmp_path / "copy.csv"
    copy.write_bytes(file.path.read_bytes())

    assert count_settings(File(copy), [DEFAULTS]) == 1
    assert count_settings(File(copy, EURO), [DEFAULTS]) == 2
    copy.write_text("other")
    assert count_settings(File(copy), [DEFAULTS]) == 1


def test_where_nothing_can_be_kept_nobody_counted(
    file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))

    assert count_settings(file, [DEFAULTS]) is None
