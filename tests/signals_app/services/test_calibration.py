"""Which calibrations are stored, and which of them signals are judged by."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signals_app.importers.candle_series import CandlePath
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.models import AuditEntry, MeasuredProbability
from signals_app.probability.calibration import Calibration
from signals_app.services.calibration import (
    CalibrationInUse,
    StoreOutcome,
    calibrate_all,
    calibration_in_use,
    store_calibrations,
)
from signals_app.services.price_history import MarketHistory
from tests.signals_app.probability.examples import GAPS

NEW_YEAR_MS = 1_704_067_200_000
FOUND = Calibration(
    symbol="XAUUSD",
    timeframe=Timeframe.H1,
    runs=("gold.csv: 9,000 candles",),
    candles=9000,
    events=900,
    from_ms=0,
    to_ms=NEW_YEAR_MS,
    probabilities=(GAPS,),
    forward=None,
)


def stored(
    one: Calibration, *, is_look_back: bool = False, is_forced: bool = False
) -> StoreOutcome:
    (result,) = store_calibrations([one], is_look_back=is_look_back, is_forced=is_forced)
    assert result.is_stored == (result.outcome in (StoreOutcome.IN_USE, StoreOutcome.NOT_IN_USE))
    return result.outcome


@pytest.mark.django_db
def test_the_first_calibration_is_stored_and_used() -> None:
    assert stored(FOUND) is StoreOutcome.IN_USE

    assert MeasuredProbability.objects.get().value() == GAPS
    assert calibration_in_use("XAUUSD", Timeframe.H1) == CalibrationInUse(
        900, datetime(2024, 1, 1, tzinfo=UTC)
    )
    assert calibration_in_use("XAUUSD", Timeframe.H4) is None
    entry = AuditEntry.objects.get(action="calibrated")
    assert (entry.subject, entry.after) == (
        "XAUUSD H1",
        {"outcomes": 900, "data_to": "2024-01-01T00:00:00Z"},
    )


@pytest.mark.django_db
def test_a_look_back_is_stored_only_when_forced() -> None:
    assert stored(FOUND, is_look_back=True) is StoreOutcome.LOOK_BACK
    assert not MeasuredProbability.objects.exists()

    assert stored(FOUND, is_look_back=True, is_forced=True) is StoreOutcome.IN_USE


@pytest.mark.django_db
def test_fewer_outcomes_replace_nothing_unless_forced() -> None:
    stored(FOUND)
    fewer = replace(FOUND, events=800)

    assert stored(fewer) is StoreOutcome.FEWER_OUTCOMES
    assert stored(fewer, is_forced=True) is StoreOutcome.IN_USE


@pytest.mark.django_db
def test_one_on_older_data_is_stored_but_not_used() -> None:
    stored(FOUND)

    assert stored(replace(FOUND, to_ms=NEW_YEAR_MS - 1)) is StoreOutcome.NOT_IN_USE


def test_histories_are_measured_one_by_one_and_short_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "XAUUSD_H1.csv"
    file.write_text(
        "timestamp,open,high,low,close,volume\n2024-01-02T00:00:00Z,10.2,10.8,10.0,10.6,100\n"
    )
    path = CandlePath(file, "XAUUSD", Timeframe.H1, "utc")
    steps: list[tuple[int, int, str]] = []

    found = calibrate_all(
        [MarketHistory(DEFAULT_INSTRUMENTS[0], Timeframe.H1, (path,))],
        on_progress=lambda *step: steps.append(step),
    )

    assert found.made == ()
    assert found.left_out == ("XAUUSD_H1.csv holds 1 candles; at least 300 are needed.",)
    assert steps == [(0, 1, "XAUUSD H1")]
