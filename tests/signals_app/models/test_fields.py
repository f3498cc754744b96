"""Columns that several tables share."""

import pytest
from django.db import connection

from signals_app.market.calendar import utc
from signals_app.market.candle import Timeframe
from signals_app.models import Decision, fields
from tests.trades_app.examples import CLOSE_MS


@pytest.mark.django_db
def test_a_moment_is_a_time_at_rest_and_milliseconds_in_python() -> None:
    Decision.objects.create(instrument="XAUUSD", close_time_ms=CLOSE_MS + 1)

    with connection.cursor() as cursor:
        cursor.execute("SELECT close_time, h1_close_time FROM decisions")
        assert cursor.fetchone() == (utc(CLOSE_MS + 1), None)
    decision = Decision.objects.get(close_time_ms=CLOSE_MS + 1)
    assert (decision.close_time_ms, decision.h1_close_ms) == (CLOSE_MS + 1, None)
    assert Decision.objects.filter(close_time_ms__gt=CLOSE_MS + 1).count() == 0


def test_a_moment_is_read_from_forms_and_fixtures_too() -> None:
    field = fields.MomentField()

    assert field.to_python(CLOSE_MS) == CLOSE_MS
    assert field.to_python("2024-01-05T14:30:00Z") == utc(CLOSE_MS)


def test_a_kind_may_hold_what_its_enum_names() -> None:
    assert [value for value, _ in fields.timeframe().choices or ()] == [
        each.value for each in Timeframe
    ]
    assert fields.price().decimal_places == 5
    assert fields.money().decimal_places == fields.lots().decimal_places == 2
