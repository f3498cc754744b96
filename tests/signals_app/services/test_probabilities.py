"""What was measured, stored and looked up for a signal."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from signals_app.confluence.scoring import Score
from signals_app.confluence.setup import Zone
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.models import Analysis, Signal, Strategy
from signals_app.probability.estimate import (
    Bucket,
    EventType,
    Measured,
    MeasuredEventKind,
    Probability,
)
from signals_app.services.calibration import store_probabilities
from signals_app.services.probabilities import note_probability, with_probabilities
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from tests.signals_app.probability.examples import GAPS
from tests.trades_app.examples import CLOSE_MS, SIGNAL

pytestmark = pytest.mark.django_db

BLOCK = OrderBlock(
    *(10, 12, Bias.BULLISH, 2046.0, 2043.0),
    *(True, False, False, True),
    *(0.75, 40, None),
)
ZONE = Zone(Timeframe.H1, BLOCK, None, 2046.0, 2043.0, 0.9, 0.0)
SCORE = Score(Direction.BUY, 85.0, 40.0, 30.0, 15.0, (), ZONE, None)
YEAR_MS = 365 * 86_400_000
OPEN_MS = CLOSE_MS - Timeframe.M15.milliseconds
HIGH_THIRD = Probability(
    Bucket(EventType.ORDER_BLOCK, MeasuredEventKind.RETEST, Bias.BULLISH, 3),
    *(0.5, None, 812, 440),
    *(0.5, 0.54, 0.49, 0.59),
    *(0.51, 3000),
)


def store(*measured: Probability, until_ms: int = OPEN_MS, hours_ago: int = 0) -> None:
    store_probabilities(
        "XAUUSD",
        Timeframe.H1,
        measured,
        data_from_ms=0,
        data_to_ms=until_ms,
        made_at=timezone.now() - timedelta(hours=hours_ago),
    )


def noted() -> Signal:
    signal = Signal.of(SIGNAL, Strategy.objects.live())
    note_probability(signal, SCORE)
    return signal


def test_a_signal_says_what_was_measured_of_what_it_leans_on() -> None:
    store(HIGH_THIRD)

    signal = noted()

    assert signal.measured == Measured(0.54, 0.49, 0.59, 812, 0.5)
    assert signal.probability_of == (
        "H1 ORDER_BLOCK RETEST, bullish, score above 0.5, data until 2024-01-05"
    )


def test_data_that_reaches_into_the_signals_candle_says_nothing() -> None:
    store(HIGH_THIRD, until_ms=OPEN_MS + 1)

    assert noted().measured is None


def test_of_calibrations_on_data_to_the_same_end_the_newest_counts() -> None:
    store(HIGH_THIRD, hours_ago=1)
    store(replace(HIGH_THIRD, p=0.44, low=0.4, high=0.48))

    assert noted().measured == Measured(0.44, 0.4, 0.48, 812, 0.5)


def test_a_look_back_made_later_does_not_replace_what_newer_data_say() -> None:
    store(HIGH_THIRD, hours_ago=1)
    store(replace(HIGH_THIRD, p=0.11, low=0.08, high=0.16, n=205), until_ms=OPEN_MS - 10 * YEAR_MS)

    assert noted().measured == Measured(0.54, 0.49, 0.59, 812, 0.5)


def test_too_few_outcomes_are_no_probability() -> None:
    store(replace(HIGH_THIRD, n=199, p=None, low=None, high=None))

    assert noted().measured is None


def test_findings_say_what_they_are_worth_or_that_nobody_measured() -> None:
    store(HIGH_THIRD, GAPS)
    blocks = [
        {"direction": "bullish", "score": 0.75},
        {"direction": "bearish", "score": 0.75},
    ]
    view = {
        "gaps": {"gaps": [{"direction": "bearish", "strength": 61.0}]},
        "order_blocks": {"order_blocks": blocks},
        "liquidity": {"sweeps": [{"direction": "bullish", "kind": "PDL", "score": 0.8}]},
    }
    analysis = Analysis(instrument="XAUUSD", timeframe="H1", close_time_ms=CLOSE_MS, view=view)
    analysis.close_time_ms = OPEN_MS + Timeframe.H1.milliseconds

    shown = with_probabilities(analysis)

    assert [
        block["institutional_probability"] for block in shown["order_blocks"]["order_blocks"]
    ] == ["54% [49-59], n=812; random entries 50%", "not measured"]
    assert [gap["probability"] for gap in shown["gaps"]["gaps"]] == [
        "41% [38-44], n=900; random entries 43%"
    ]
    assert [sweep["reversal_probability"] for sweep in shown["liquidity"]["sweeps"]] == [
        "not measured"
    ]
    assert "institutional_probability" not in blocks[0]
