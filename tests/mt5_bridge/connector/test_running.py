import logging

import pytest

from mt5_bridge.connector import logs, running
from mt5_bridge.connector.config import Config, SourceKind


@pytest.fixture
def config(tmp_path):
    return Config(
        SourceKind.REPLAY, "ws://127.0.0.1:9", "XAUUSD", "a", tmp_path / "spool", token="x"
    )


def test_a_mistake_of_its_own_is_in_the_log_and_no_reason_to_stay_down(config, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(running, "_source", lambda config: config.nothing)
    code = running.run_stream(config, None)
    log = (config.spool / logs.FILE_NAME).read_text()
    assert code == running.MISTAKE == 1
    assert "CRITICAL the connector has ended by a mistake of its own\nTraceback" in log
    assert "AttributeError" in log


def test_a_setting_that_is_wrong_is_one_sentence(config, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert running.run_stream(config, None) == running.BAD_INPUT == 2
    log = (config.spool / logs.FILE_NAME).read_text()
    assert "CRITICAL a replay needs a file of ticks" in log
    assert "Traceback" not in log
