"""The bands of scores as a picture: each one's share of wins beside that of random entries."""

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from reports_app.assessment.reliability import MINIMUM_OUTCOMES, Reliability, ScoreBand
from trades_app.notifications.charts.figure import new_chart
from trades_app.notifications.charts.output import as_png
from trades_app.notifications.charts.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 640, 400
#: How far signals and random entries stand apart.
_BESIDE = 0.08
#: Of a line of the verdict, in characters.
_LINE = 90


def write_reliability_png(found: Reliability, symbol: str, path: Path) -> None:
    """Draw each band's share of wins with its interval, and the random entries' beside it.

    Raises `OSError` where the file cannot be written.
    """
    with new_chart(_WIDTH, _HEIGHT, padding=10) as (figure, axes):
        _draw_bands(axes, found.bands)
        figure.suptitle(f"{symbol}: do higher scores do better?", fontweight="bold")
        verdict = found.verdicts[0].partition("? ")[2]
        axes.set_title("\n".join(wrap(verdict, _LINE)), color=LIGHT.quiet)
        figure.legend(loc="outside lower center", ncols=3)
        path.write_bytes(as_png(figure))


def _draw_bands(axes: "Axes", bands: tuple[ScoreBand, ...]) -> None:
    # An interval over half the picture says nothing but that there were few.
    shown = [(place, band) for place, band in enumerate(bands) if band.n >= MINIMUM_OUTCOMES]
    shares = [100 * (band.share or 0) for _, band in shown]
    below = [100 * ((band.share or 0) - (band.low or 0)) for _, band in shown]
    above = [100 * ((band.high or 0) - (band.share or 0)) for _, band in shown]
    axes.errorbar(
        [place - _BESIDE for place, _ in shown],
        shares,
        yerr=[below, above],
        fmt="o",
        capsize=4,
        color=LIGHT.gold,
        label="signals, 95 % interval",
    )
    axes.plot(
        [place + _BESIDE for place, _ in shown],
        [100 * (band.random_share or 0) for _, band in shown],
        "x",
        color=LIGHT.quiet,
        label="matched random entries",
    )
    axes.axhline(50, color=LIGHT.quiet, linewidth=0.8, linestyle=":", label="a coin without costs")
    axes.set_xticks(range(len(bands)), [_name(band) for band in bands])
    axes.set_xlim(-0.5, len(bands) - 0.5)
    # As far on every picture, so that small differences look small.
    axes.set_ylim(min(20, *axes.get_ylim()), max(80, *axes.get_ylim()))
    axes.set_xlabel("confluence score")
    axes.set_ylabel("+1 R before -1 R, %")


def _name(band: ScoreBand) -> str:
    few = "" if band.n >= MINIMUM_OUTCOMES else ", too few"
    return f"{band.from_score:g}-{band.to_score:g}\nn={band.n:,}{few}"
