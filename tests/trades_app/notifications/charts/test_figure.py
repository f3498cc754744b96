"""The axes of charts: few ticks, at round numbers."""

import pytest

from trades_app.notifications.charts.figure import decimals_of, new_chart, number_axis


@pytest.mark.parametrize(
    ("step", "decimals"), [(500.0, 0), (1.0, 0), (0.5, 1), (0.25, 2), (0.1, 1), (0.002, 3)]
)
def test_ticks_have_as_many_decimals_as_tell_them_apart(step: float, decimals: int) -> None:
    assert decimals_of(step) == decimals


def test_large_numbers_have_their_thousands_apart() -> None:
    with new_chart(300, 200) as (figure, axes):
        axes.plot([9_500, 10_750])
        number_axis(axes, "y")
        figure.draw_without_rendering()
        names = [label.get_text() for label in axes.get_yticklabels()]

    assert "10,000" in names
    assert len(names) <= 7
