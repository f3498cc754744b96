import time
from dataclasses import replace

from mt5_bridge.connector import status, streams_status
from mt5_bridge.connector.status import write_status
from mt5_bridge.connector.streams_status import (
    SupervisedConnector,
    forget_streams,
    show_all,
    write_streams,
)
from tests.mt5_bridge.connector.test_status import STATUS


def two_connectors(folder, **of_the_second):
    now_ms = time.time_ns() // 1_000_000
    streams = []
    for name, changes in (("mt5-XAUUSD", {}), ("mt5-EURUSD", of_the_second)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        state = replace(STATUS, connector=name, written_ms=now_ms, **changes)
        write_status(folder / name, state)
        # As it was written where the connector was started, perhaps in another directory.
        streams.append(SupervisedConnector(name, f"elsewhere/{name}", "is running"))
    write_streams(folder, streams)


def test_each_connector_is_shown(tmp_path):
    two_connectors(tmp_path)
    said = []
    assert show_all(tmp_path, said.append) == 0
    text = "\n".join(said)
    assert "mt5-XAUUSD is running\nconnector   mt5-XAUUSD (running" in text
    assert "mt5-EURUSD is running\nconnector   mt5-EURUSD (running" in text


def test_one_that_is_not_well_is_enough_for_exit_code_1(tmp_path):
    two_connectors(tmp_path, source_trouble="the terminal is gone")
    said = []
    assert show_all(tmp_path, said.append) == 1
    assert "the terminal is gone" in "\n".join(said)
    (tmp_path / "mt5-EURUSD" / status.FILE_NAME).unlink()
    assert show_all(tmp_path, said.append) == 1
    assert "no connector has written its status" in said[-1]


def test_a_connector_alone_is_shown_as_ever(tmp_path):
    write_status(tmp_path, replace(STATUS, written_ms=time.time_ns() // 1_000_000))
    said = []
    assert show_all(tmp_path, said.append) == 0
    assert said[0].startswith("connector   mt5-primary (running")


def test_what_ran_before_is_forgotten(tmp_path):
    write_status(tmp_path, STATUS)
    two_connectors(tmp_path)
    assert not (tmp_path / status.FILE_NAME).exists()
    forget_streams(tmp_path)
    said = []
    assert show_all(tmp_path, said.append) == 1
    assert "no connector has written its status" in said[0]


def test_a_file_that_is_none_of_ours_is_no_list_of_connectors(tmp_path):
    write_status(tmp_path, replace(STATUS, written_ms=time.time_ns() // 1_000_000))
    for text in ("", "[1]", '{"a": 1}', '{"written_ms": 1, "streams": [{"other": 1}]}'):
        (tmp_path / "streams.json").write_text(text)
        assert show_all(tmp_path, [].append) == 0


def test_connectors_without_their_supervisor_are_not_well(tmp_path, monkeypatch):
    two_connectors(tmp_path)
    later_ms = time.time_ns() // 1_000_000 + 16_000
    monkeypatch.setattr(streams_status, "wall_ms", lambda: later_ms)
    said = []
    assert show_all(tmp_path, said.append) == 1
    assert said[0].startswith("NOT RUNNING: the program")
    assert "mt5-XAUUSD is running" not in said
