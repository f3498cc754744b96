"""Which calibration new signals are judged by."""

from datetime import UTC, datetime, timedelta

import pytest

from signals_app.market.candle import Timeframe
from signals_app.models import MeasuredProbability
from tests.signals_app.probability.stored import MADE, RETEST, UNKNOWN, store

pytestmark = pytest.mark.django_db

YEAR_MS = 365 * 86_400_000
END_MS = 1_704_067_200_000


def test_the_calibration_on_the_newest_data_is_used_whenever_it_was_made() -> None:
    store(RETEST, until_ms=END_MS, made=MADE)
    store(UNKNOWN, until_ms=END_MS - YEAR_MS, made=MADE + timedelta(days=1))

    (used,) = MeasuredProbability.objects.newest("XAUUSD", "H1")

    assert used.value() == RETEST
    assert list(MeasuredProbability.objects.in_use()) == [used]


def test_of_two_on_the_same_data_the_later_one_is_used() -> None:
    store(UNKNOWN, made=MADE)
    store(RETEST, made=MADE + timedelta(days=1))

    (used,) = MeasuredProbability.objects.newest("XAUUSD", "H1")

    assert used.value() == RETEST


def test_what_was_measured_on_later_data_is_left_out_of_a_look_back() -> None:
    store(RETEST, until_ms=END_MS)
    store(UNKNOWN, until_ms=END_MS - YEAR_MS, made=MADE + timedelta(days=1))
    before = datetime(2023, 6, 1, tzinfo=UTC)

    (used,) = MeasuredProbability.objects.newest("XAUUSD", "H1", ended_by=before)

    assert used.value() == UNKNOWN
    early = datetime(2020, 1, 1, tzinfo=UTC)
    assert not MeasuredProbability.objects.newest("XAUUSD", "H1", ended_by=early).exists()


def test_each_instrument_and_timeframe_has_its_own() -> None:
    store(RETEST)
    store(RETEST, timeframe=Timeframe.M15, until_ms=END_MS - YEAR_MS)
    store(RETEST, symbol="EURUSD")

    used = MeasuredProbability.objects.in_use().values_list("instrument", "timeframe")

    assert sorted(used) == [("EURUSD", "H1"), ("XAUUSD", "H1"), ("XAUUSD", "M15")]
