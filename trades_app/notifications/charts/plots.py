"""The kinds of plot that reports and messages share, each drawn on axes in the style."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from signals_app.market.calendar import DAY_MS, milliseconds, utc
from signals_app.market.tick import Float64s, Int64s
from trades_app.notifications.charts.figure import number_axis
from trades_app.notifications.charts.palette import LIGHT, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: More points than these along a line show nothing more.
_MOST_POINTS = 1500
#: Bars are at most as wide as among so many.
_FEWEST_PLACES = 6
_FEW_MONTHS = 2
#: From this share of a chart's width on, what is written beside a mark is on its left.
_RIGHT_PART = 0.65


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line in a histogram, with what it stands for."""

    at: float
    text: str


def plot_line(
    axes: "Axes",
    time_ms: Int64s,
    values: Float64s,
    *,
    base: float,
    colour: str,
    most_dates: int,
    palette: Palette = LIGHT,
) -> None:
    """Draw a line over time, filled to ``base``; the times ascend, and at least one is there."""
    x, y = thinned(time_ms.astype(np.float64), values, _MOST_POINTS)
    axes.fill(np.r_[x[0], x, x[-1]], np.r_[base, y, base], color=colour, alpha=0.14, linewidth=0)
    axes.plot(x, y, color=colour)
    axes.axhline(base, color=palette.quiet, linewidth=1)
    axes.margins(x=0)
    dates = named_dates(int(time_ms[0]), int(time_ms[-1]), most_dates)
    axes.set_xticks([at for at, _ in dates], [text for _, text in dates])
    number_axis(axes, "y")


def plot_bars(
    axes: "Axes",
    values: Sequence[tuple[str, float]],
    *,
    most_names: int,
    palette: Palette = LIGHT,
) -> dict[str, str]:
    """Draw a bar for each named value, gains up and losses down; return tooltips by gid."""
    tooltips = {}
    numbers = [value for _, value in values]
    colours = [palette.won if value >= 0 else palette.lost for value in numbers]
    for place, bar in enumerate(axes.bar(range(len(values)), numbers, 0.62, color=colours)):
        name, value = values[place]
        bar.set_gid(f"bar{place}")
        tooltips[f"bar{place}"] = f"{name}: {value:z,.2f}"
    axes.axhline(0, color=palette.quiet, linewidth=1)
    # A single bar is not to fill the chart.
    beside = max(0.6, (_FEWEST_PLACES - len(values)) / 2)
    axes.set_xlim(-beside, len(values) - 1 + beside)
    shown = range(0, len(values), -(-len(values) // most_names))
    axes.set_xticks(list(shown), [values[place][0] for place in shown])
    number_axis(axes, "y")
    return tooltips


def plot_histogram(
    axes: "Axes",
    values: Float64s,
    *,
    split: float,
    colours: tuple[str, str],
    mark: Mark | None = None,
    palette: Palette = LIGHT,
) -> dict[str, str]:
    """Draw how often values lie where, in one colour below ``split`` and another from it on.

    Zero is always in sight. Returns tooltips by gid.
    """
    counts, edges = np.histogram(values, bins=min(60, max(12, len(values) // 8)))
    middles, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    bars = axes.bar(
        middles,
        counts,
        widths * 0.9,
        color=[colours[int(middle >= split)] for middle in middles],
    )
    tooltips = {}
    for place, bar in enumerate(bars):
        bar.set_gid(f"bin{place}")
        text = f"{edges[place]:+z.2f} to {edges[place + 1]:+z.2f}: {counts[place]:,}"
        tooltips[f"bin{place}"] = text
    axes.axhline(0, color=palette.quiet, linewidth=1)
    ends = [float(edges[0]), float(edges[-1]), 0.0] + ([] if mark is None else [mark.at])
    room = (max(ends) - min(ends) or 1.0) * 0.04
    axes.set_xlim(min(ends) - room, max(ends) + room)
    if mark is not None:
        _draw_mark(axes, mark, palette)
    number_axis(axes, "x", most_ticks=6)
    number_axis(axes, "y", most_ticks=4)
    return tooltips


def thinned(x: Float64s, y: Float64s, points: int) -> tuple[Float64s, Float64s]:
    """The lowest and highest of each stretch, where there are more points than so many."""
    if len(x) <= points:
        return x, y
    kept = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), points // 2):
        kept |= {int(part[np.argmin(y[part])]), int(part[np.argmax(y[part])])}
    places = np.array(sorted(kept))
    return x[places], y[places]


def named_dates(first_ms: int, last_ms: int, most: int) -> list[tuple[float, str]]:
    """The beginnings of years, months or days (Unix ms) within a span, with their names."""
    first, last = utc(first_ms), utc(last_ms)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < _FEW_MONTHS:
        step = max(1, -(-(last - first).days // most))
        midnights = range((first_ms // DAY_MS + 1) * DAY_MS, last_ms + 1, step * DAY_MS)
        return [(float(midnight), f"{utc(midnight):%d %b}") for midnight in midnights]
    step = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if months / n <= most)
    form = "%b %Y" if step < 12 else "%Y"
    found = []
    for month in range(first.year * 12 + first.month, last.year * 12 + last.month):
        if month % step == 0:
            moment = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            found.append((float(milliseconds(moment)), f"{moment:{form}}"))
    return found


def _draw_mark(axes: "Axes", mark: Mark, palette: Palette) -> None:
    axes.margins(y=0.16)
    axes.axvline(mark.at, color=palette.ink, linewidth=2)
    low, high = axes.get_xlim()
    is_right = (mark.at - low) / (high - low) > _RIGHT_PART
    axes.annotate(
        mark.text,
        (mark.at, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-6 if is_right else 6, -2),
        textcoords="offset points",
        horizontalalignment="right" if is_right else "left",
        verticalalignment="top",
        color=palette.ink,
        fontweight="bold",
    )
