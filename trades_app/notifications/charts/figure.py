"""The style of every chart: sizes in pixels, fonts, colours, thin lines, no frame.

matplotlib takes a second to import, so that it is imported where a chart is drawn and nowhere else.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from signals_app.market.rounding import rounded_float
from trades_app.notifications.charts.palette import LIGHT, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

# That it looked for fonts, once for each user, is no news.
logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)

#: Of text, in pixels.
_FONT_SIZE = 11
#: A pixel is a point: that is what matplotlib measures text and lines in.
_DOTS_PER_INCH = 72


@contextmanager
def new_chart(
    width: int, height: int, palette: Palette = LIGHT, *, padding: int = 2
) -> Iterator[tuple["Figure", "Axes"]]:
    """Give a figure of ``width`` by ``height`` pixels and its axes, to be drawn on in the block.

    ``padding`` (pixels) keeps a picture's text away from its edges. The figure may be written after
    the block as well.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_settings(palette)):
        size = (width / _DOTS_PER_INCH, height / _DOTS_PER_INCH)
        figure = Figure(figsize=size, dpi=_DOTS_PER_INCH)
        pad = padding / _DOTS_PER_INCH
        figure.set_layout_engine("constrained", w_pad=pad, h_pad=pad)
        axes = figure.subplots()
        axes.tick_params(left=False, bottom=False, pad=6)
        yield figure, axes


def decimals_of(step: float) -> int:
    """How many decimals the labels of ticks need that are ``step`` apart."""
    return next((n for n in range(6) if abs(round(step, n) - step) < abs(step) / 1000), 6)


def number_axis(axes: "Axes", which: str, *, most_ticks: int = 5, form: str = ",") -> None:
    """Let the axis ``which`` (x or y) have few ticks at round numbers, all with equal decimals."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=most_ticks, steps=[1, 2, 2.5, 5, 10]))

    def text(value: float, _place: int | None) -> str:
        ticks = axis.get_majorticklocs()
        decimals = decimals_of(float(ticks[1] - ticks[0])) if len(ticks) > 1 else 2
        return f"{rounded_float(value, decimals):{form}.{decimals}f}"

    axis.set_major_formatter(FuncFormatter(text))


def _settings(palette: Palette) -> "dict[RcKeyType, Any]":
    return {
        "font.family": "sans-serif",
        # It comes with matplotlib, so that the same chart has the same bytes on every machine.
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": _FONT_SIZE,
        "text.color": palette.ink,
        "text.parse_math": False,
        "figure.facecolor": palette.card,
        "axes.facecolor": "none",
        "axes.edgecolor": palette.rule,
        "axes.labelcolor": palette.quiet,
        "axes.labelsize": _FONT_SIZE,
        "axes.titlesize": _FONT_SIZE,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.spines.bottom": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": palette.rule,
        "grid.linewidth": 1.0,
        "lines.linewidth": 1.6,
        "lines.solid_joinstyle": "round",
        "xtick.color": palette.quiet,
        "ytick.color": palette.quiet,
        "xtick.labelsize": _FONT_SIZE,
        "ytick.labelsize": _FONT_SIZE,
        "legend.frameon": False,
        "legend.fontsize": _FONT_SIZE,
    }
