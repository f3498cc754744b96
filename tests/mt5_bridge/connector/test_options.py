import pytest

from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.options import option_parser


@pytest.mark.parametrize("offset", ["-05:00", "-0530", "-5"])
def test_a_time_zone_west_of_utc_is_no_option(offset):
    given = option_parser().parse_args(["--source-timezone", offset])
    assert given.source_timezone == offset


def test_what_is_no_option_is_said_without_ending_the_program():
    with pytest.raises(ConfigError, match="unrecognized arguments: --nothing; see python"):
        option_parser().parse_args(["--nothing"])
