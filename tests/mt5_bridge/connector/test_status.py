import time
from dataclasses import replace

from mt5_bridge.connector.status import (
    FILE_NAME,
    ConnectorStatus,
    read_status,
    screen,
    show,
    write_status,
)

NOW = 1_704_456_000_000
STATUS = ConnectorStatus(
    connector="mt5-primary",
    symbol="XAUUSD",
    source="XAUUSD from Broker-Demo (connected; server clock server-eu)",
    url="wss://example.org:8765/ws/v1/ticks",
    pid=77,
    written_ms=NOW - 1000,
    started_ms=NOW - 3 * 3_600_000,
    line="connected",
    role="active",
    last_tick_ms=NOW - 400,
    last_ack_ms=NOW - 300,
    spool_depth=12,
    spool_bytes=3 << 20,
    lag_ms=1_300,
    read=1_000_000,
    refused=3,
    sent=999_997,
    acknowledged=999_985,
    reconnects=2,
)


def test_one_screen_says_how_terminal_line_and_spool_are():
    assert screen(STATUS, NOW) == (
        "connector   mt5-primary (running, pid 77)\n"
        "source      XAUUSD from Broker-Demo (connected; server clock server-eu)\n"
        "line        connected to wss://example.org:8765/ws/v1/ticks\n"
        "role        active\n"
        "last tick   0.4 s ago (XAUUSD)\n"
        "last ack    0.3 s ago\n"
        "lag         the server is 1.3 s of ticks behind the source\n"
        "spool       12 ticks wait, 3.0 MB kept\n"
        "ticks       1,000,000 read, 3 refused, 999,997 sent, 999,985 acknowledged, 0 dropped\n"
        "clock       right\n"
        "since       3.0 h ago, 2 reconnects\n"
        "last error  none"
    )


def test_a_connector_that_stopped_writing_is_not_running():
    assert "NOT RUNNING" in screen(STATUS, NOW + 20_000)
    assert "NOT RUNNING" in screen(replace(STATUS, is_ended=True), NOW)


def test_a_spool_that_takes_no_ticks_is_shown_and_is_not_well(tmp_path):
    now_ms = time.time_ns() // 1_000_000
    status = replace(STATUS, written_ms=now_ms, spool_trouble="FULL")
    assert "\nspool       FULL: 12 ticks wait, 3.0 MB kept\n" in screen(status, now_ms)
    codes = []
    for trouble in ("", "FULL"):
        write_status(tmp_path, replace(status, spool_trouble=trouble))
        codes.append(show(tmp_path, lambda _: None))
    assert codes == [0, 1]


def test_a_lost_terminal_is_shown_and_is_not_well(tmp_path):
    now_ms = time.time_ns() // 1_000_000
    lost = replace(
        STATUS,
        written_ms=now_ms,
        source="XAUUSD from Broker-Demo (NOT CONNECTED; server clock server-eu)",
        source_trouble="the terminal is gone (-10004: No IPC connection)",
    )
    write_status(tmp_path, lost)
    shown = []
    assert show(tmp_path, shown.append) == 1
    assert (
        "\nsource      XAUUSD from Broker-Demo (NOT CONNECTED; server clock server-eu): "
        "the terminal is gone (-10004: No IPC connection)\n"
    ) in shown[0]


def test_without_waiting_ticks_there_is_no_lag():
    assert "\nlag         none: the server has everything\n" in screen(
        replace(STATUS, spool_depth=0), NOW
    )


def test_a_wrong_clock_is_shown():
    assert "62.0 s ahead of the server's" in screen(replace(STATUS, clock_error_ms=62_000), NOW)
    assert "5.0 s behind the server's" in screen(replace(STATUS, clock_error_ms=-5_000), NOW)


def test_the_status_comes_back_as_written(tmp_path):
    write_status(tmp_path, STATUS)
    assert read_status(tmp_path) == STATUS
    (tmp_path / FILE_NAME).write_text("{}")
    assert read_status(tmp_path) is None


def test_where_there_is_no_status_it_says_so(tmp_path):
    said = []
    assert show(tmp_path, said.append) == 1
    assert "no connector has written its status" in said[0]
