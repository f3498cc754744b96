"""Plots: what is drawn of many points, long spans and marks."""

from datetime import UTC, datetime

import numpy as np

from signals_app.market.calendar import milliseconds
from trades_app.notifications.charts.figure import new_chart
from trades_app.notifications.charts.palette import LIGHT
from trades_app.notifications.charts.plots import (
    Mark,
    named_dates,
    plot_bars,
    plot_histogram,
    plot_line,
    thinned,
)


def time_ms(*date: int) -> int:
    return milliseconds(datetime(*date, tzinfo=UTC))


def names(first_ms: int, last_ms: int, most: int) -> list[str]:
    return [name for _, name in named_dates(first_ms, last_ms, most)]


def test_thinning_keeps_both_ends_and_every_extreme() -> None:
    x = np.arange(10_000, dtype=np.float64)
    y = np.zeros(10_000)
    y[[1234, 7777]] = 5.0, -3.0

    few_x, few_y = thinned(x, y, 100)

    assert len(few_x) <= 102
    assert (few_x[0], few_x[-1]) == (0.0, 9999.0)
    assert (few_y.max(), few_y.min()) == (5.0, -3.0)


def test_days_months_and_years_are_named_where_they_begin() -> None:
    may = time_ms(2014, 5, 1, 12)

    assert names(may, time_ms(2014, 5, 4, 12), 9) == ["02 May", "03 May", "04 May"]
    assert (
        names(may, time_ms(2014, 8, 4), 9) == ["May 2014", "Jun 2014", "Jul 2014", "Aug 2014"][1:]
    )
    assert names(may, time_ms(2017, 2, 1), 4) == ["2015", "2016", "2017"]


def test_no_more_dates_are_named_than_there_is_room_for() -> None:
    for days in (1, 20, 59, 100, 800, 9000):
        first = time_ms(2001, 1, 15)
        for most in (4, 9):
            assert len(names(first, first + days * 86_400_000, most)) <= most + 1


def test_of_many_bars_only_some_are_named_and_all_say_what_they_are() -> None:
    with new_chart(300, 100) as (_, axes):
        tooltips = plot_bars(
            axes, [(str(year), year / 10) for year in range(2000, 2020)], most_names=6
        )
        named = [label.get_text() for label in axes.get_xticklabels()]

    assert named == ["2000", "2004", "2008", "2012", "2016"]
    assert tooltips["bar3"] == "2003: 200.30"
    assert len(tooltips) == 20


def test_a_histogram_counts_every_value_and_shows_its_mark() -> None:
    with new_chart(300, 100) as (_, axes):
        tooltips = plot_histogram(
            axes,
            np.array([-1.0, -1.0, 2.0]),
            split=0.0,
            colours=(LIGHT.lost, LIGHT.won),
            mark=Mark(3.0, "here"),
        )
        low, high = axes.get_xlim()
        heights = [bar.get_height() for bar in axes.patches]

    assert sum(heights) == 3
    assert low < -1 < 3 < high
    assert tooltips["bin0"] == "-1.00 to -0.75: 2"


def test_a_line_of_one_point_is_drawn_too() -> None:
    with new_chart(300, 100) as (figure, axes):
        plot_line(
            axes,
            np.array([time_ms(2014, 5, 1)]),
            np.array([1.0]),
            base=0.0,
            colour=LIGHT.gold,
            most_dates=9,
        )
        figure.draw_without_rendering()
