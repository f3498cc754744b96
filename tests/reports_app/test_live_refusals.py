"""Live decisions refuse each close for the reason that a backtest of the same ticks counts."""

import pytest

from reports_app.backtest import engine
from signals_app.confluence.parameters import Parameters
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.models import Decision, PriceCandle
from tests.trades_app.shadow.test_following import SYMBOL, Pipeline, market, pipeline

__all__ = ("market", "pipeline")

pytestmark = pytest.mark.django_db
GOLD = DEFAULT_INSTRUMENTS[0]


def counted_live() -> dict[str, int]:
    return {reason: number for (_, reason), number in Decision.objects.refusals().items()}


def test_a_week_is_refused_for_the_same_reasons(pipeline: Pipeline) -> None:
    pipeline.run()

    week = engine.run(GOLD, Parameters(), [pipeline.market.ticks], pipeline.market.history)
    expected = {reason.value: number for reason, number in week.refusals.items()}
    assert counted_live() == expected
    assert expected["BELOW_THRESHOLD"] > 100
    assert len(expected) > 2


def test_a_week_without_history_warms_up_for_as_long(pipeline: Pipeline) -> None:
    PriceCandle.objects.all().delete()

    pipeline.run()

    week = engine.run(GOLD, Parameters(), [pipeline.market.ticks], {})
    assert counted_live() == {reason.value: number for reason, number in week.refusals.items()}
    assert set(counted_live()) == {"WARMING_UP"}
    assert (
        Decision.objects.filter(instrument=SYMBOL, text="").exclude(outcome="PENDING").count() == 0
    )
