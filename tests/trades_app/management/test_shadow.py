"""manage.py shadow: one thing at a time, said in a sentence; without an option the comparison."""

import json

import pytest
from django.core.management import CommandError, call_command

from signals_app.market.calendar import utc
from signals_app.models import Strategy
from trades_app.models import ShadowPosition

pytestmark = pytest.mark.django_db


def test_without_a_shadow_there_is_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("shadow")
    assert capsys.readouterr().out == "No strategy has followed a close in shadow.\n"

    call_command("shadow", as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_a_version_is_tried_ended_begun_again_and_made_live(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for options in (
        {"changes": ["threshold=80", "maximum_trade_hours=none"]},
        {"retire": 2},
        {"begin": 2},
        {"make_live": 2},
    ):
        call_command("shadow", **options)

    assert capsys.readouterr().out.splitlines() == [
        "default v2 runs in shadow.",
        "default v2 is retired; its open trades run on.",
        "default v2 runs in shadow.",
        "default v2 is live and decides from the next close on.",
    ]


def test_the_table_sets_each_shadow_above_the_live_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("shadow", changes=["threshold=80"])
    ShadowPosition.objects.filter(instrument="XAUUSD").update(close_time=utc(1))
    capsys.readouterr()

    call_command("shadow", symbol="XAUUSD")

    assert capsys.readouterr().out == (
        "symbol   strategy       since                trades closed   won  mean R       profit\n"
        "XAUUSD   default v2     the beginning             0      0     0       -        +0.00\n"
        "XAUUSD   live           the beginning             0      0     0       -        +0.00\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"changes": ["threshold"]}, "'threshold=' is not a name, = and a number."),
        ({"changes": ["threshold=101"]}, "threshold must be from 0 to 100, not 101.0."),
        ({"begin": 1}, "default v1 is LIVE, not RETIRED."),
        ({"retire": 9}, "There is no version 9."),
        (
            {"symbol": "XAU USD"},
            "'XAU USD' is no symbol; give letters and digits, for example XAUUSD.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("shadow", **options)

    assert (str(refusal.value), refusal.value.returncode) == (sentence, 2)
    assert Strategy.objects.count() == 1
