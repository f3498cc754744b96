"""The live stream: candles, signals and trade events as they come."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from goldtrader.models import ApiKey
from reports_app.dashboard import live
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import PriceCandle
from tests.callers import API, caller
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import numbered, stored_signal, stored_trade

pytestmark = pytest.mark.django_db


def leave(response: Any) -> None:
    """Close a stream as the web server does, but leave the test's transaction alone."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def events(parts: Iterator[bytes]) -> Iterator[tuple[str, dict[str, object]]]:
    for part in parts:
        if part.startswith(b"event"):
            kind, data = part.decode().splitlines()[:2]
            yield kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_the_stream_sends_what_is_new_and_nothing_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0)
    stored_trade(numbered(1))
    response = caller().get(f"{API}/stream", HTTP_ACCEPT="text/event-stream")
    parts = iter(response.streaming_content)
    assert next(parts) == b"retry: 3000\n\n"
    sent = events(parts)
    tables = live.watched_tables()

    assert response["Content-Type"] == "text/event-stream"
    assert [table.new() for table in tables] == [[], [], []]

    stored_trade(numbered(2))
    PriceCandle.objects.bulk_create(
        PriceCandle.of(
            "XAUUSD", Timeframe.M15, [Candle(CLOSE_MS, 1, 2, 1, 2, 5)], PriceCandle.Source.TICKS
        )
        + PriceCandle.of(
            "XAUUSD", Timeframe.H1, [Candle(CLOSE_MS, 1, 2, 1, 2, 5)], PriceCandle.Source.HISTORY
        )
    )

    candles, signals, trades = (table.new() for table in tables)
    assert [(row["symbol"], row["timeframe"], row["close"]) for row in candles] == [
        ("XAUUSD", "M15", 2.0)
    ]
    assert [row["signal_id"] for row in signals] == ["XAU_20240105_002"]
    assert [(row["signal_id"], row["kind"]) for row in trades] == [
        ("XAU_20240105_002", "OPENED"),
        ("XAU_20240105_002", "MONITORING_STARTED"),
    ]
    assert [table.new() for table in tables] == [[], [], []]
    leave(response)
    assert list(sent) == []


def test_a_stream_sends_events_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "sleep", lambda _: stored_signal(numbered(1)))
    response = caller().get(f"{API}/stream")

    sent = events(iter(response.streaming_content))

    kind, signal = next(sent)
    assert (kind, signal["signal_id"]) == ("signal", "XAU_20240105_001")
    leave(response)


def test_streams_are_few_and_give_their_places_back(monkeypatch: pytest.MonkeyPatch) -> None:
    client = caller()

    taken = [client.get(f"{API}/stream") for _ in range(live.STREAMS_PER_PROCESS)]
    refused = client.get(f"{API}/stream", HTTP_ACCEPT="text/event-stream")
    for response in taken:
        leave(response)
    again = client.get(f"{API}/stream")
    leave(again)

    assert refused.status_code == 429
    assert json.loads(refused.content)["error"]["message"].startswith("All streams are taken")
    assert refused["Retry-After"] == "5"
    assert again.status_code == 200


def test_a_stream_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONGEST_SECONDS", 0.0)
    response = caller().get(f"{API}/stream")

    assert list(response.streaming_content) == [b"retry: 3000\n\n"]
    leave(response)


def test_a_stream_needs_a_key() -> None:
    client = caller()
    client.credentials()

    assert client.get(f"{API}/stream").status_code == 401


def test_a_stream_ends_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0)
    monkeypatch.setattr(live, "KEY_CHECK_SECONDS", 0)
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0)
    response = caller().get(f"{API}/stream")
    parts = iter(response.streaming_content)
    assert [next(parts), next(parts)] == [b"retry: 3000\n\n", b": nothing new\n\n"]

    ApiKey.objects.update(revoked=True)

    assert list(parts) == []
    leave(response)


def test_a_key_is_looked_at_well_within_five_seconds() -> None:
    assert live.KEY_CHECK_SECONDS + live.POLL_SECONDS < 5
