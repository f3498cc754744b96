"""A backtest's figures by group, as text."""

from reports_app.performance.breakdown import COLUMNS, break_down, cells, or_dash
from reports_app.performance.statistics import performance
from tests.reports_app.performance.test_statistics import ALL, EVEN, LOST, WON


def test_trades_are_grouped_by_direction_session_setup_and_year() -> None:
    found = break_down([WON, LOST, EVEN])

    assert {name: list(groups) for name, groups in found.items()} == {
        "direction": ["BUY", "SELL"],
        "session": ["LONDON"],
        "setup_type": ["OB"],
        "year": ["2024"],
    }
    assert found["direction"]["SELL"].losing_trades == 1
    assert found["year"]["2024"] == performance([WON, LOST, EVEN])


def test_a_group_has_a_cell_for_each_column() -> None:
    row = dict(zip(COLUMNS, cells(performance(ALL)), strict=True))

    assert (row["signals"], row["closed"], row["won"], row["lost"]) == ("5", "4", "1", "2")
    assert row["money"] == "-10.00"


def test_what_nothing_decides_is_a_dash() -> None:
    assert cells(performance([]))[4:7] == ["-", "-", "-"]
    assert (or_dash(None), or_dash(1234.5)) == ("-", "1,234.5")
