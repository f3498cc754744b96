"""The bands of scores as a picture: each one's share of wins beside that of random entries."""

from pathlib import Path
from textwrap import wrap

from reports_app.assessment.reliability import MINIMUM_OUTCOMES, Reliability

#: How far signals and random entries stand apart.
_BESIDE = 0.08


def write_reliability_png(found: Reliability, symbol: str, path: Path) -> None:
    """Draw each band's share of wins with its interval, and the random entries' beside it.

    Raises `OSError` where the file cannot be written.
    """
    # Here: it takes a second to import, and few ask for a picture.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    shown = [
        (place, band)
        for place, band in enumerate(found.bands)
        # An interval over half the picture says nothing but that there were few.
        if band.n >= MINIMUM_OUTCOMES
    ]
    shares = [100 * (band.share or 0) for _, band in shown]
    axes.errorbar(
        [place - _BESIDE for place, _ in shown],
        shares,
        yerr=[
            [share - 100 * (band.low or 0) for share, (_, band) in zip(shares, shown, strict=True)],
            [
                100 * (band.high or 0) - share
                for share, (_, band) in zip(shares, shown, strict=True)
            ],
        ],
        fmt="o",
        capsize=4,
        label="signals, 95 % interval",
    )
    axes.plot(
        [place + _BESIDE for place, _ in shown],
        [100 * (band.random_share or 0) for _, band in shown],
        "x",
        color="tab:orange",
        label="matched random entries",
    )
    names = [
        f"{band.from_score:g}-{band.to_score:g}\nn={band.n:,}"
        + ("" if band.n >= MINIMUM_OUTCOMES else ", too few")
        for band in found.bands
    ]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel("confluence score")
    axes.set_ylabel("+1 R before -1 R, %")
    figure.suptitle(f"{symbol}: do higher scores do better?")
    axes.set_title("\n".join(wrap(found.verdicts[0].partition("? ")[2], 95)), fontsize="small")
    axes.axhline(50, color="tab:gray", linewidth=0.8, linestyle=":", label="a coin without costs")
    # As far on every picture, so that small differences look small.
    axes.set_ylim(min(20, *axes.get_ylim()), max(80, *axes.get_ylim()))
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(path, dpi=120, format="png")
