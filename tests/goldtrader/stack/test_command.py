import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from goldtrader.stack.command import main
from goldtrader.stack.processes.process import ENDINGS


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Runs `manage.py stack` with these arguments and returns why it refuses to start."""
    handlers = {ending: signal.getsignal(ending) for ending in ENDINGS}

    def run(*arguments: str) -> str:
        assert main(["--data-dir", str(tmp_path / "data"), *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err

    # The command reads `.env` into the environment.
    with patch.dict(os.environ):
        yield run
    for ending, handler in handlers.items():
        signal.signal(ending, handler)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("timestamp_ms,bid,ask\n1400000000000,nan,1290.5\n", "not a number"),
        ("timestamp_ms,bid,ask\n1400000000000,1290.9,1290.5\n", "ask"),
        ("timestamp_ms,bid,ask\nyesterday,1290.1,1290.5\n", "yesterday"),
        ("", "empty"),
    ],
)
def test_a_bad_tick_file_is_refused_before_anything_is_written(
    refused, tmp_path, content, complaint
):
    ticks = tmp_path / "XAUUSD_ticks.csv"
    ticks.write_text(content)
    sentence = refused("--feed", str(ticks))
    assert complaint in sentence.lower()
    assert len(sentence.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--feed", "nowhere.csv"),
            "The feed nowhere.csv is neither `simulated`, `none` nor a file.",
        ),
        (
            ("--feed", "none", "--history", "nowhere"),
            "The history nowhere does not exist; name another with --history.",
        ),
        (
            ("--feed", "none", "--speed", "fast"),
            "--speed fast is neither a number above 0 nor `max`.",
        ),
        (
            ("--feed", "simulated", "--exit-when-done"),
            "--exit-when-done needs a feed that ends: give a file to --feed.",
        ),
        (
            ("--feed", "none", "--workers", "0"),
            "--workers 0 is too few: the pipeline needs one.",
        ),
    ],
)
def test_options_that_cannot_work_are_refused_in_one_sentence(
    refused, tmp_path, arguments, sentence
):
    assert refused(*arguments) == sentence + "\n"
    assert not (tmp_path / "data").exists()
