"""Options of commands that read files of prices."""

from argparse import ArgumentParser

from signals_app.management.candle_arguments import add_source_timezone_argument


def test_times_without_an_offset_are_utc_unless_a_clock_is_named() -> None:
    parser = ArgumentParser()
    add_source_timezone_argument(parser)

    assert parser.parse_args([]).source_timezone == "utc"
    assert parser.parse_args(["--source-timezone", "server-eu"]).source_timezone == "server-eu"
