"""JSON that earlier versions stored loses the sign of its zeros, and nothing else."""

import importlib

import pytest
from django.db import connection

from tests.trades_app.rows import numbered, stored_trade
from trades_app.models import Trade

pytestmark = pytest.mark.django_db

MIGRATION = importlib.import_module("trades_app.migrations.0009_results_of_zero_bear_no_sign")


def test_signed_zeros_lose_their_sign() -> None:
    trade = stored_trade(numbered(1), 2055.0, 2065.0)
    closes = [{"kind": "TP1_HIT", "pips": "-0.00", "profit": "-0.01", "lots": "-0"}]
    Trade.objects.filter(pk=trade.pk).update(partial_closes=closes)

    with connection.cursor() as cursor:
        for operation in MIGRATION.Migration.operations:
            cursor.execute(operation.sql)

    trade.refresh_from_db()
    assert trade.partial_closes == [
        {"kind": "TP1_HIT", "pips": "0.00", "profit": "-0.01", "lots": "0"}
    ]
