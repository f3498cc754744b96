"""Measured probabilities over HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest

from signals_app.market.candle import Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.callers import API, caller
from tests.signals_app.probability.stored import MADE, RETEST, UNKNOWN, store

pytestmark = pytest.mark.django_db


def listed(**query: str) -> list[dict[str, object]]:
    response = caller().get(f"{API}/probabilities", query)
    assert response.status_code == 200, response.json()
    rows: list[dict[str, object]] = response.json()["results"]
    return rows


def test_a_bucket_tells_its_probability_beside_both_controls() -> None:
    store(RETEST)

    assert listed() == [
        {
            "instrument": "XAUUSD",
            "timeframe": "H1",
            "event": "ORDER_BLOCK",
            "kind": "RETEST",
            "direction": "bullish",
            "tercile": 3,
            "score_above": 0.5,
            "score_to": None,
            "n": 812,
            "wins": 440,
            "p0": 0.5,
            "p": 0.54,
            "low": 0.49,
            "high": 0.59,
            "placebo": 0.51,
            "placebo_n": 3000,
            "data_from": "2010-01-01T00:00:00Z",
            "data_to": "2024-01-01T00:00:00Z",
            "made_at": "2026-01-02T03:04:05Z",
        }
    ]


def test_what_was_not_measured_has_no_probability() -> None:
    store(UNKNOWN)

    (row,) = listed()
    assert (row["n"], row["p"], row["low"], row["high"]) == (40, None, None, None)


def test_of_each_market_the_calibration_in_use_is_listed() -> None:
    store(replace(RETEST, n=700))
    store(replace(RETEST, n=800), made=MADE + timedelta(hours=1))
    store(replace(RETEST, n=900), until_ms=1_600_000_000_000, made=MADE + timedelta(hours=2))
    store(replace(RETEST, n=600), timeframe=Timeframe.M15)

    assert [(row["timeframe"], row["n"]) for row in listed()] == [("H1", 800), ("M15", 600)]


def test_probabilities_are_narrowed_and_paged() -> None:
    store(RETEST, UNKNOWN)
    store(RETEST, timeframe=Timeframe.M15)
    store(RETEST, symbol=DEFAULT_INSTRUMENTS[1].symbol)
    client = caller()

    assert len(listed(instrument="XAUUSD")) == 3
    assert len(listed(instrument="XAUUSD", timeframe="H1", event="SWEEP", kind="WEEK")) == 1
    assert listed(direction="bearish")[0]["event"] == "SWEEP"
    first = client.get(f"{API}/probabilities", {"limit": 3}).json()
    second = client.get(first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (3, 1, None)


def test_a_timeframe_that_is_not_decided_on_is_refused() -> None:
    response = caller().get(f"{API}/probabilities", {"timeframe": "M5"})

    assert response.status_code == 400
    assert "M5" in response.json()["error"]["message"]
