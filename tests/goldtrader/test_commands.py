"""The commands that make keys and print the record."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from goldtrader.models import ApiKey
from signals_app.confluence.signal import signal_as_json
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import numbered, stored_signal, stored_trade
from trades_app.lifecycle.machine import trade_as_json
from trades_app.trading.services import event_value, trade_value

pytestmark = pytest.mark.django_db


def test_a_key_is_printed_alone_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "dashboard")

    printed = capsys.readouterr().out.splitlines()[-1]
    key = ApiKey.objects.get_from_key(printed)
    assert (key.name, key.scope, key.symbols) == ("dashboard", "read", [])


def test_a_connectors_key_carries_its_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "mt5-london", scope="connector", symbols="XAUUSD, EURUSD")

    key = ApiKey.objects.get()
    assert (key.scope, key.symbols) == ("connector", ["EURUSD", "XAUUSD"])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("", {}, "A key's name has 1 to 50 letters."),
        ("x" * 51, {}, "A key's name has 1 to 50 letters."),
        (
            "mt5",
            {"scope": "connector"},
            "--symbols belongs to --scope connector, and that needs it.",
        ),
        (
            "mt5",
            {"symbols": "XAUUSD"},
            "--symbols belongs to --scope connector, and that needs it.",
        ),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    name: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("api_key", name, **options)

    assert (str(refusal.value), refusal.value.returncode) == (message, 2)
    assert not ApiKey.objects.exists()


def test_the_record_is_the_backtests_own_objects_in_order_of_closes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = stored_trade(numbered(2), 2039.0)
    stored_signal(numbered(3))
    earlier = stored_trade(SIGNAL, 2055.0)

    call_command("export", json=True)

    record = json.loads(capsys.readouterr().out)
    assert record == {
        "signals": [signal_as_json(signal) for signal in (numbered(1), numbered(2), numbered(3))],
        "trades": [
            trade_as_json(trade_value(row), [event_value(event) for event in row.events.all()])
            for row in (earlier, later)
        ],
    }


def test_the_record_costs_three_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(1, 6):
        stored_trade(numbered(number), 2055.0)

    with django_assert_num_queries(3):
        call_command("export", json=True, stdout=StringIO())


def test_without_a_stacks_data_the_record_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(CommandError) as refusal:
        call_command("export", json=True, data_dir=tmp_path)

    assert str(refusal.value).startswith("There is no stack's data in ")
    assert refusal.value.returncode == 2
