import logging

from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.status import first_status, read_status


def a_progress(folder=None):
    return Progress(first_status("test", "XAUUSD", "a test", "wss://there"), folder)


def test_what_a_forgetful_server_acknowledges_twice_counts_once():
    progress = a_progress()
    for seq in (15, 12, 15, 20):
        progress.count_acknowledged(seq, acknowledged_before=10)
    assert progress.status.acknowledged == 10


def test_a_failure_is_logged_once_and_shown_until_the_next_login(caplog):
    caplog.set_level(logging.INFO)
    progress = a_progress()
    progress.failed("no token: no answer")
    progress.failed("no token: no answer")
    assert caplog.text.count("no token") == 1
    assert progress.status.last_error == "no token: no answer"
    progress.logged_in("mt5")
    assert (progress.status.last_error, progress.status.line) == ("", "connected")
    progress.failed("no token: no answer")
    assert caplog.text.count("no token") == 2


def test_the_status_is_written_with_its_time(tmp_path):
    progress = a_progress(tmp_path)
    progress.count_read(5, refused=1, last_tick_ms=77)
    progress.write()
    status = read_status(tmp_path)
    assert (status.read, status.refused, status.last_tick_ms) == (5, 1, 77)
    assert status.written_ms >= status.started_ms


def test_the_summary_is_one_line_of_counts():
    progress = a_progress()
    progress.count_read(1200, refused=2, last_tick_ms=1)
    progress.count_sent(1198)
    assert progress.summary(waiting=8).startswith(
        "XAUUSD: 1,200 ticks read, 2 refused, 1,198 sent, 0 acknowledged, 8 waiting, in "
    )
