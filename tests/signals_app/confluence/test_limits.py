"""Limits of the parameters: what may be set, and the sentence for what may not."""

from dataclasses import asdict, replace
from math import inf, nan

import pytest

from signals_app.confluence.limits import LIMITS, BadParameter, changed, read_change
from signals_app.confluence.parameters import Parameters


def test_every_parameter_has_limits_that_hold_its_default() -> None:
    defaults = asdict(Parameters())

    assert LIMITS.keys() == defaults.keys()
    for name, (lowest, highest) in LIMITS.items():
        assert lowest <= defaults[name] <= highest, name


def test_changes_are_of_the_parameter_s_own_type() -> None:
    found = changed(Parameters(), {"threshold": 85, "warm_up_candles": 60.0})

    assert found == replace(Parameters(), threshold=85.0, warm_up_candles=60)
    assert (type(found.threshold), type(found.warm_up_candles)) == (float, int)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"luck": 1}, "There is no parameter 'luck'; there are threshold, "),
        ({"threshold": nan}, "threshold must be a number, not nan."),
        ({"maximum_trade_hours": inf}, "maximum_trade_hours must be a number, not inf."),
        ({"threshold": True}, "threshold must be a number, not True."),
        ({"threshold": None}, "threshold must be a number, not None."),
        ({"slippage_pips": -5}, "slippage_pips must be from 0 to 1000, not -5."),
        ({"warm_up_candles": 50.5}, "warm_up_candles must be a whole number, not 50.5."),
        ({"take_profit_1_r": 3}, "take_profit_1_r (3.0) must not be above take_profit_2_r (2.5)."),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadParameter) as refused:
        changed(Parameters(), changes)

    assert str(refused.value).startswith(sentence)


def test_a_number_too_large_for_a_float_is_refused_like_any_other() -> None:
    with pytest.raises(BadParameter, match="threshold must be from 0 to 100"):
        changed(Parameters(), {"threshold": 10**400})


def test_a_change_is_read_from_text() -> None:
    assert read_change("threshold=85") == ("threshold", 85.0)
    assert read_change("warm_up_candles=60") == ("warm_up_candles", 60)


def test_trades_that_never_expire_are_asked_for_by_none() -> None:
    assert read_change("maximum_trade_hours=none") == ("maximum_trade_hours", None)
    with pytest.raises(BadParameter, match="'threshold=none' is not a name, = and a number"):
        read_change("threshold=none")


@pytest.mark.parametrize("text", ["threshold", "threshold=", "threshold=high", "threshold=nan"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        read_change(text)
