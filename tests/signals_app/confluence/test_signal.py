"""A signal as a value: its id and its JSON."""

from dataclasses import fields

from signals_app.market.encoding import as_json
from tests.signals_app.confluence.deciding import (
    signalled,
)


def test_json_has_every_field_with_prices_as_numbers_and_times_as_text() -> None:
    signal = signalled()
    printed = as_json(signal)

    names = {field.name for field in fields(signal)} - {"timestamp_ms", "entry_time_ms"}
    assert set(printed) == names | {"timestamp", "entry_time"}
    assert printed["timestamp"] == "2024-01-05T14:30:00Z"
    assert printed["entry_time"] == "2024-01-05T14:30:00.250Z"
    assert printed["direction"] == "BUY"
    assert printed["position_size"] == 0.13
    assert printed["confluence_factors"] == list(signal.confluence_factors)


def test_the_running_number_of_the_day_is_in_the_id() -> None:
    assert signalled(number=12).signal_id == "XAU_20240105_012"
