"""The settings of a run: the defaults, or a stored strategy, with changes."""

import pytest

from reports_app.experiments.setup import (
    NoStrategy,
    UnknownInstrument,
    default_setup,
    stored_setup,
)
from signals_app.confluence.limits import BadParameter
from signals_app.models import Instrument, Strategy
from signals_app.services.strategies import change_parameters


def test_changes_are_said_behind_where_the_settings_are_from() -> None:
    changed = default_setup().changed(["threshold=85", "maximum_trade_hours=none"])

    assert changed.source == "the defaults, with threshold=85, maximum_trade_hours=none"
    assert (changed.parameters.threshold, changed.parameters.maximum_trade_hours) == (85.0, None)
    assert default_setup().changed([]) == default_setup()
    with pytest.raises(BadParameter, match="threshold must be from 0 to 100"):
        default_setup().changed(["threshold=101"])


def test_an_instrument_that_is_not_known_is_answered_with_those_that_are() -> None:
    assert default_setup().instrument("XAUUSD").symbol == "XAUUSD"
    with pytest.raises(UnknownInstrument, match=r"GOLD is no instrument .* known are XAUUSD, "):
        default_setup().instrument("GOLD")


@pytest.mark.django_db
def test_a_stored_strategy_is_named_by_its_version_or_as_the_live_one() -> None:
    change_parameters({"threshold": 85.0})

    assert stored_setup("live").source == "default v2, live"
    assert stored_setup("live").parameters.threshold == 85.0
    assert stored_setup("1") == stored_setup("v1")
    assert stored_setup("v1").source == "default v1, retired"


@pytest.mark.django_db
def test_instruments_are_those_of_the_database() -> None:
    Instrument.objects.filter(symbol="XAUUSD").update(default_spread="0.55")

    assert stored_setup("live").instrument("XAUUSD").default_spread == 0.55


@pytest.mark.django_db
@pytest.mark.parametrize("which", ["9", "vx", "default"])
def test_a_version_that_is_not_there_is_answered_with_those_that_are(which: str) -> None:
    with pytest.raises(NoStrategy, match=r"there are 1 \(live\)\."):
        stored_setup(which)


@pytest.mark.django_db
def test_before_the_first_close_the_defaults_are_live() -> None:
    Strategy.objects.all().delete()

    assert stored_setup("live").parameters == default_setup().parameters
    with pytest.raises(NoStrategy, match="there are none"):
        stored_setup("1")
