"""Signals in the database are linked to their instrument's last one."""

from dataclasses import replace

import pytest

from signals_app.confluence.hash_chain import BEGINNING, signal_link
from signals_app.models import Signal
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_signal

pytestmark = pytest.mark.django_db


def test_each_signal_is_linked_to_the_last_of_its_instrument() -> None:
    euro = replace(SIGNAL, signal_id="EUR_20240105_001", instrument="EURUSD")
    first, other, second = (stored_signal(each) for each in (SIGNAL, euro, numbered(2)))

    assert first.record_hash == signal_link(BEGINNING, SIGNAL)
    assert other.record_hash == signal_link(BEGINNING, euro)
    assert second.record_hash == signal_link(first.record_hash, numbered(2))
    assert [row.signal_id for row in Signal.objects.in_record_order()] == [
        *("EUR_20240105_001", "XAU_20240105_001"),
        "XAU_20240105_002",
    ]
