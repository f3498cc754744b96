from datetime import UTC, datetime

import numpy as np
import pytest

from mt5_bridge.files.broker_time import SERVER_EU, SERVER_US, UnknownTimezoneError, clock_named


def ms(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


# In these weeks of spring America has put its clocks forward and Europe has not.
@pytest.mark.parametrize(
    ("clock", "wall", "utc"),
    [
        (SERVER_EU, (2025, 3, 14, 12, 0), (2025, 3, 14, 10, 0)),
        (SERVER_US, (2025, 3, 14, 12, 0), (2025, 3, 14, 9, 0)),
        (SERVER_EU, (2025, 7, 14, 12, 0), (2025, 7, 14, 9, 0)),
        (SERVER_US, (2025, 7, 14, 12, 0), (2025, 7, 14, 9, 0)),
        (SERVER_EU, (2025, 1, 14, 12, 0), (2025, 1, 14, 10, 0)),
        (SERVER_US, (2025, 1, 14, 12, 0), (2025, 1, 14, 10, 0)),
        (clock_named("+02:00"), (2025, 7, 14, 12, 0), (2025, 7, 14, 10, 0)),
        (clock_named("-5"), (2025, 7, 14, 12, 0), (2025, 7, 14, 17, 0)),
        (clock_named("Asia/Tokyo"), (2025, 7, 14, 12, 0), (2025, 7, 14, 3, 0)),
        (clock_named("UTC"), (2025, 7, 14, 12, 0), (2025, 7, 14, 12, 0)),
    ],
)
def test_what_a_broker_shows_becomes_utc(clock, wall, utc):
    assert clock.to_utc(np.array([ms(*wall)])).tolist() == [ms(*utc)]
    assert clock.offset_at(ms(*utc)) == ms(*wall) - ms(*utc)


def test_american_server_midnight_is_always_new_yorks_close():
    midnights = [ms(2025, month, 10) for month in range(1, 13)]
    utc = SERVER_US.to_utc(np.array(midnights))
    hours = {int((midnight - at) // 3_600_000) for midnight, at in zip(midnights, utc, strict=True)}
    assert hours == {2, 3}


@pytest.mark.parametrize("name", ["", "server", "America", "Europe/Atlantis", "+25:00", "../x"])
def test_a_wrong_name_is_refused_with_the_right_ones(name):
    with pytest.raises(UnknownTimezoneError, match="give utc, server-eu, server-us"):
        clock_named(name)
