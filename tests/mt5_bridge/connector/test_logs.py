"""The log goes on whatever becomes of console and file, and never holds anybody up."""

import logging
import os
import threading
import time
from pathlib import Path

import pytest

from mt5_bridge.connector import logs
from mt5_bridge.connector.logs import BackgroundHandler, PatientRotatingFile


class Place(logging.Handler):
    """Keeps what it is given, once it may go on."""

    def __init__(self):
        super().__init__()
        self.may_go_on = threading.Event()
        self.written = []

    def emit(self, record):
        self.may_go_on.wait()
        self.written.append(record.getMessage())


def record(text):
    return logging.LogRecord("test", logging.INFO, "", 0, text, None, None)


def test_a_console_that_hangs_holds_nobody_up_and_loses_what_finds_no_room():
    place = Place()
    handler = BackgroundHandler(place, waiting=3)
    began = time.monotonic()
    for number in range(20):
        handler.handle(record(f"line {number}"))
    assert time.monotonic() - began < 1.0
    place.may_go_on.set()
    handler.close()
    assert not handler.is_stuck
    kept = [text for text in place.written if text.startswith("line")]
    assert 3 <= len(kept) <= 4
    assert f"{20 - len(kept)} lines found no room here" in place.written


def test_what_waits_is_written_at_the_end():
    place = Place()
    place.may_go_on.set()
    handler = BackgroundHandler(place)
    for number in range(100):
        handler.handle(record(str(number)))
    handler.close()
    assert place.written == [str(number) for number in range(100)]


def test_the_end_does_not_wait_for_a_console_that_hangs(monkeypatch):
    monkeypatch.setattr(logs, "_CLOSE_WITHIN", 0.1)
    place = Place()
    handler = BackgroundHandler(place)
    handler.handle(record("a line"))
    began = time.monotonic()
    handler.close()
    assert time.monotonic() - began < 2.0
    assert handler.is_stuck
    place.may_go_on.set()


@pytest.fixture
def file(tmp_path):
    handler = PatientRotatingFile(
        tmp_path / "mt5_bridge.log", maxBytes=200, backupCount=3, encoding="utf-8"
    )
    yield handler
    handler.close()


def lines_of(folder):
    return [
        line for path in sorted(folder.glob("mt5_bridge.log*")) for line in path.read_text().split()
    ]


def test_full_files_are_kept_by_their_time_and_only_so_many(file, tmp_path):
    for number in range(100):
        file.handle(record(f"line-{number:04}"))
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 4
    assert max(lines_of(tmp_path)) == "line-0099"


def test_no_line_is_lost_while_another_program_holds_the_file(file, tmp_path, monkeypatch):
    """Windows refuses to rename a file that is open elsewhere."""
    file.backupCount = 50
    with monkeypatch.context() as held:

        def refuse(*names, **options):
            raise PermissionError(32, "used by another process")

        held.setattr(os, "rename", refuse)
        held.setattr(os, "replace", refuse)
        for number in range(60):
            file.handle(record(f"line-{number:04}"))
    assert [path.name for path in tmp_path.iterdir()] == ["mt5_bridge.log"]
    assert len(lines_of(tmp_path)) == 60
    file._try_again_at = 0.0
    for number in range(60, 70):
        file.handle(record(f"line-{number:04}"))
    assert sorted(lines_of(tmp_path)) == [f"line-{number:04}" for number in range(70)]
    assert len(list(tmp_path.iterdir())) > 1


def test_without_a_console_a_complaint_is_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    monkeypatch.setattr("sys.stdout", None)
    logs.complain("give --source", tmp_path / "spool")
    logs.say("nobody reads this")
    assert "CRITICAL give --source" in Path(tmp_path / "spool" / "mt5_bridge.log").read_text()
