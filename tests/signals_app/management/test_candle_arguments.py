"""Options of commands that read files of prices."""

from argparse import ArgumentParser

import pytest

from signals_app.management.candle_arguments import (
    add_quote_arguments,
    add_source_timezone_argument,
    known_instruments,
    with_quotes,
)
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.models import Instrument


def test_times_without_an_offset_are_utc_unless_a_clock_is_named() -> None:
    parser = ArgumentParser()
    add_source_timezone_argument(parser)

    assert parser.parse_args([]).source_timezone == "utc"
    assert parser.parse_args(["--source-timezone", "server-eu"]).source_timezone == "server-eu"


@pytest.mark.parametrize("zone", ["-05:00", "-5", "-0330", "+02:00", "server-eu"])
def test_an_offset_west_of_utc_needs_no_equals_sign(zone: str) -> None:
    parser = ArgumentParser()
    parser.add_argument("--json", action="store_true")
    add_source_timezone_argument(parser)
    given = parser.parse_args(["--source-timezone", zone, "--json"])
    assert (given.source_timezone, given.json) == (zone, True)


def test_how_a_symbol_is_quoted_may_be_given() -> None:
    parser = ArgumentParser()
    add_quote_arguments(parser)
    options = vars(parser.parse_args(["--digits", "3", "--default-spread", "0.5"]))
    quoted = with_quotes(DEFAULT_INSTRUMENTS[0], options)
    assert (quoted.digits, quoted.default_spread, quoted.pip) == (3, 0.5, 0.1)
    assert with_quotes(DEFAULT_INSTRUMENTS[0], vars(parser.parse_args([]))) is not None
    assert set(known_instruments(options, by="a test")) >= {"XAUUSD", "EURUSD"}


@pytest.mark.parametrize(
    "arguments",
    [["--digits", "6"], ["--digits", "two"], ["--default-spread", "-1"], ["--default-spread=nan"]],
)
def test_what_no_quote_can_be_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    add_quote_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert "is no whole number from 0 to 5" in (err := capsys.readouterr().err) or "no price" in err


@pytest.mark.django_db
def test_instruments_of_the_database_are_asked_for() -> None:
    row = Instrument.objects.get(symbol="XAUUSD")
    row.pk, row.signal_prefix = "XAGUSD", "XAG"
    row.save()
    found = known_instruments({"instrument": True, "data_dir": None}, by="a test")
    assert "XAGUSD" in found
