"""The clock finder on candles of real brokers, as their terminals gave them."""

import csv
import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from mt5_bridge.sources.terminal.server_clock import all_clocks, weekly_closes
from tests.paths import SHARED

HOUR = 3_600_000


def hours_of(name):
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"{path} is missing")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        times = [datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC) for row in rows]
    stamps = {int(time.timestamp()) * 1000 // HOUR * HOUR for time in times}
    return np.array(sorted(stamps), dtype=np.int64)


def clocks_by_year(hours):
    """Return what each year of the hours says, as a terminal would hold it at its end."""
    return [
        all_clocks().with_weekly_closes(weekly_closes(hours[max(end - 6_500, 0) : end])).name
        for end in range(len(hours), min(len(hours), 6_500) - 1, -2_000)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "XAUUSD_H1_mt5charan_2025-01_to_2026-01_SERVER-EU.csv.gz",
        "XAUUSD_H1_mt5ej_2012_to_2017_SERVER-EU.csv.gz",
    ],
)
def test_a_year_of_gold_tells_a_european_brokers_clock(name):
    assert set(clocks_by_year(hours_of(name))) == {"server-eu"}


@pytest.mark.parametrize(
    "name",
    [
        "EURUSD_H1_mt5charan_2025H1_SERVER-EU.csv.gz",
        "GBPUSD_H1_mt5ej_2014-12_to_2018_SERVER-EU.csv.gz",
    ],
)
def test_currencies_may_leave_a_doubt_but_never_the_wrong_clock(name):
    found = [clock.split(" or ") for clock in clocks_by_year(hours_of(name))]
    assert found
    assert all("server-eu" in names for names in found)


def test_six_weeks_of_an_american_brokers_gold_rule_its_clock_not_out():
    """A hundred thousand M1 candles are all that a terminal gives: too few weeks to decide."""
    hours = hours_of("XAUUSD_M1_mt5rabit_2025-12_to_2026-01_SERVER-US.csv.gz")
    clock = all_clocks().with_weekly_closes(weekly_closes(hours))
    assert "server-us" in clock.name.split(" or ")
