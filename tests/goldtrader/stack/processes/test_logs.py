import resource

import pytest

from goldtrader.stack.processes import logs


def test_logs_of_earlier_runs_are_kept_and_the_oldest_forgotten(tmp_path):
    log = tmp_path / "web.log"
    for run in range(5):
        logs.rotate(log)
        log.write_text(f"run {run}")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "run 4",
        "web.log.1": "run 3",
        "web.log.2": "run 2",
        "web.log.3": "run 1",
    }


def test_the_end_of_a_log_is_its_last_lines_and_nothing_without_one(tmp_path):
    log = tmp_path / "web.log"
    assert logs.tail(log) == ""
    log.write_text("one\ntwo\nthree\n\n")
    assert logs.tail(log, 2) == "two\nthree"


def test_a_log_that_has_grown_is_moved_aside_while_its_process_writes_on(tmp_path):
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as written:
        for run in range(6):
            written.write(b"x" * 90 + f" {run} {run}\n".encode())
            logs.keep_small(tmp_path, most_bytes=50)
        written.write(b"the last line\n")
        logs.keep_small(tmp_path, most_bytes=50)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("web.log", "web.log.1", "web.log.2", "web.log.3"),
    ]
    assert log.read_text() == "the last line\n"
    # Of more than the size, its end alone.
    assert [(tmp_path / f"web.log.{n}").read_text()[-4:] for n in (1, 2, 3)] == [
        *("5 5\n", "4 4\n", "3 3\n"),
    ]
    assert (tmp_path / "web.log.1").stat().st_size == 50


def test_where_there_is_no_room_for_the_earlier_part_the_log_stays_whole(tmp_path):
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * 5_000)
    (tmp_path / "web.log.1").write_text("earlier")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            logs.keep_small(tmp_path, most_bytes=1_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
        "web.log": 5_000,
        "web.log.1": 7,
    }
    logs.keep_small(tmp_path, most_bytes=1_000)
    assert (tmp_path / "web.log.1").stat().st_size == 1_000
    assert (tmp_path / "web.log.2").read_text() == "earlier"
