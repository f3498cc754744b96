"""Analyses are filled part by part; the last part completes them, whoever brings it and however
often.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from signals_app.market.candle import Candles, Timeframe
from signals_app.models import Analysis, Decision, PriceCandle
from signals_app.pipeline import analysis
from signals_app.pipeline.analysis import Part
from signals_app.pipeline.candles import Close
from signals_app.services import price_history
from signals_app.smc.analysis import view
from tests.signals_app.pipeline.closes import stored_close

NOON = 1_704_456_000_000
LENGTHS = {Timeframe.M15: 900_000, Timeframe.H1: 3_600_000, Timeframe.H4: 14_400_000}


def stored_candles(timeframe: Timeframe, number: int = 60) -> list[Close]:
    """Store candles up to noon and a row for the analysis of each of the last three."""
    length = LENGTHS[timeframe]
    rows = []
    for place in range(number):
        middle = 1300 + 10 * np.sin(place / 3) + place % 5
        rows.append(
            [NOON - (number - place) * length, middle, middle + 3, middle - 3, middle + 1, 50]
        )
    price_history.store_history("XAUUSD", timeframe, rows)
    closes = [(timeframe.value, NOON - back * length) for back in (2, 1, 0)]
    Analysis.objects.bulk_create(
        [Analysis(instrument="XAUUSD", timeframe=name, close_time_ms=end) for name, end in closes]
    )
    return closes


@pytest.mark.django_db
def test_the_last_part_completes_an_analysis() -> None:
    closes = stored_candles(Timeframe.M15)

    for part in (Part.LIQUIDITY, Part.GAPS, Part.STRUCTURE):
        assert analysis.detect("XAUUSD", closes, part) == []
        assert not Analysis.objects.exclude(completed_at=None).exists()
    assert sorted(analysis.detect("XAUUSD", closes, Part.ORDER_BLOCKS)) == sorted(closes)

    assert not Analysis.objects.filter(completed_at=None).exists()
    assert set(Analysis.objects.values_list("candles", flat=True)) == {58, 59, 60}


@pytest.mark.django_db
def test_what_is_stored_is_what_one_pass_over_the_window_finds() -> None:
    closes = stored_candles(Timeframe.H1)
    stored_candles(Timeframe.M15)
    stored_candles(Timeframe.H4)
    for name in Timeframe:
        for part in Part:
            analysis.detect("XAUUSD", [(name.value, NOON)], part)
    decision = Decision(
        instrument="XAUUSD", close_time_ms=NOON, h1_close_ms=closes[-1][1], h4_close_ms=NOON
    )

    found = analysis.views_of("XAUUSD", [decision])[NOON]

    windows = [
        PriceCandle.objects.window("XAUUSD", name, NOON)
        for name in (Timeframe.H4, Timeframe.H1, Timeframe.M15)
    ]
    assert found == tuple(
        view(window, name)
        for window, name in zip(windows, (Timeframe.H4, Timeframe.H1, Timeframe.M15), strict=True)
    )


@pytest.mark.django_db
def test_a_part_that_is_found_twice_changes_nothing_and_says_again_that_all_is_there() -> None:
    closes = stored_candles(Timeframe.M15)
    for part in Part:
        analysis.detect("XAUUSD", closes, part)
    before = list(Analysis.objects.order_by("pk").values("view", "candles", "completed_at"))
    PriceCandle.objects.update(high=2000)

    assert sorted(analysis.detect("XAUUSD", closes, Part.GAPS)) == sorted(closes)

    after = list(Analysis.objects.order_by("pk").values("view", "candles", "completed_at"))
    assert after == before


@pytest.mark.django_db(transaction=True)
def test_of_four_tasks_at_once_the_last_one_finds_all_complete() -> None:
    closes = [*stored_candles(Timeframe.M15), *stored_candles(Timeframe.H1)]
    orders = [closes, closes[::-1], closes, closes[::-1]]

    def work(part: Part, order: list[Close]) -> list[Close]:
        try:
            return analysis.detect("XAUUSD", order, part)
        finally:
            connection.close()

    for _ in range(10):
        Analysis.objects.update(view={}, completed_at=None)
        with ThreadPoolExecutor(4) as workers:
            finished = [close for complete in workers.map(work, Part, orders) for close in complete]
        assert sorted(finished) == sorted(closes)


@pytest.mark.django_db
def test_an_incomplete_analysis_counts_nowhere() -> None:
    decision = stored_close()
    Analysis.objects.filter(timeframe="H1").update(completed_at=None)

    assert analysis.views_of("XAUUSD", [decision]) == {}
    assert [
        name for name, _ in analysis.windows_of("XAUUSD", [decision])[decision.close_time_ms]
    ] == [Timeframe.H4, Timeframe.M15]


@pytest.mark.django_db
def test_an_overdue_analysis_is_claimed_once_and_again_when_its_age_has_doubled() -> None:
    closes = stored_candles(Timeframe.M15)
    assert analysis.claim_overdue("XAUUSD") == []
    began = timezone.now() - timedelta(seconds=20)
    Analysis.objects.update(created_at=began, due_at=began + timedelta(seconds=15))

    assert analysis.claim_overdue("XAUUSD") == closes
    assert analysis.claim_overdue("XAUUSD") == []
    for due_at in Analysis.objects.values_list("due_at", flat=True):
        assert timedelta(seconds=19) < due_at - timezone.now() < timedelta(seconds=60)


@pytest.mark.django_db
def test_a_window_is_the_last_candles_oldest_first() -> None:
    stored_candles(Timeframe.M15)

    window = PriceCandle.objects.window("XAUUSD", Timeframe.M15, NOON, 3)

    assert window.time_ms.tolist() == [NOON - back * 900_000 for back in (3, 2, 1)]
    assert isinstance(window, Candles)
    assert len(PriceCandle.objects.window("EURUSD", Timeframe.M15, NOON)) == 0
