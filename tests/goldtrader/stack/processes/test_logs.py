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
