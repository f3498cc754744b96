"""Signals by their standing and in the order of the record."""

import pytest

from signals_app.models import Signal
from tests.trades_app.rows import numbered, stored_signal

pytestmark = pytest.mark.django_db


def test_a_signal_is_active_until_its_trade_is_over() -> None:
    stored_signal(numbered(1))
    over = stored_signal(numbered(2))
    Signal.objects.filter(pk=over.pk).update(status=Signal.Status.CLOSED)

    assert [signal.pk for signal in Signal.objects.active()] == ["XAU_20240105_001"]


def test_the_record_s_order_is_that_of_closes_whatever_was_stored_first() -> None:
    for number in (3, 1, 2):
        stored_signal(numbered(number))

    assert [signal.pk[-1] for signal in Signal.objects.in_record_order()] == ["1", "2", "3"]
