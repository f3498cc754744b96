"""Options of commands that read files of prices."""

from argparse import ArgumentParser

import pytest

from signals_app.management.candle_arguments import add_source_timezone_argument


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
