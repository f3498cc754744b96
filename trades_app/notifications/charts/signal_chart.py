"""A signal as a picture: the candles it was decided on, what was found in them, and its levels.

Drawn for a telephone: at a third of its size everything that matters is still read.
"""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import Instrument
from signals_app.smc.measures import Bias
from signals_app.smc.views import TimeframeView
from trades_app.lifecycle.trade import EventKind, Trade
from trades_app.notifications.charts.figure import number_axis
from trades_app.notifications.charts.palette import DARK, LIGHT, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1200, 675
#: Candles that lead to the signal.
BEFORE = 56
#: The timeframe that signals are decided on.
TIMEFRAME = Timeframe.M15
_SWEEP, _ORDER_BLOCK = "sweep", "OB"
#: Zones, breaks and sweeps of each kind that are shown, the latest first.
_MOST_MARKS = 3
#: Points; at a third of the size, as on a telephone, the small ones are 8 high.
_LARGE, _MEDIUM, _SMALL = 34, 25, 22
#: The room for the levels' names, and for the title above, as shares of the picture.
_TITLE = 0.935
_RIGHT, _TOP, _BOTTOM, _LEFT = 0.235, 0.135, 0.075, 0.012
#: Two labels of levels are at least so far apart, as a share of the height of the plot.
_LABEL_ROOM = 0.062
_EXITS = {
    EventKind.TP1_HIT: "TP1",
    EventKind.TP2_HIT: "TP2",
    EventKind.SL_HIT: "stop",
    EventKind.EXPIRED: "expired",
    EventKind.CLOSED_MANUALLY: "closed",
}


@dataclass(frozen=True, slots=True)
class ChartZone:
    """A price zone that was known when the signal was made; `from_ms` opens its candle."""

    name: str
    direction: Bias
    from_ms: int
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A level that was broken or swept, from the candle that made it to the one that took it."""

    name: str
    from_ms: int
    to_ms: int
    price: float


@dataclass(frozen=True, slots=True)
class SignalChart:
    """All that the picture shows. Candles are oldest first; times are Unix ms.

    They are M15, or of a longer timeframe where a trade lasted too long for those.
    `trade` is given once it has ended: the picture then shows its exits and its result.
    """

    signal: TradingSignal
    instrument: Instrument
    timeframe: Timeframe
    candles: Candles
    zones: tuple[ChartZone, ...] = ()
    lines: tuple[ChartLine, ...] = ()
    trade: Trade | None = None
    is_simulated: bool = False

    def digest(self) -> str:
        """SHA-256 of all inputs, which the picture carries: what it shows can be checked by it."""
        columns = self.candles
        candles = [
            each.tolist()
            for each in (columns.time_ms, columns.open, columns.high, columns.low, columns.close)
        ]
        shown = (
            *(self.signal, self.timeframe, candles, self.zones, self.lines),
            *(self.trade, self.is_simulated),
        )
        return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()


def findings(
    view: TimeframeView, times_ms: Sequence[int], signal: TradingSignal
) -> tuple[tuple[ChartZone, ...], tuple[ChartLine, ...]]:
    """The zones and lines of a stored view that the picture shows.

    ``times_ms`` are the openings of the view's candles. Zones are those of the signal's direction
    at or beyond its own; breaks and sweeps are the latest.
    """
    own = Bias.BULLISH if signal.direction.sign > 0 else Bias.BEARISH
    gaps = [
        ChartZone("FVG", gap.direction, times_ms[max(gap.index - 2, 0)], gap.top, gap.bottom)
        for gap in view.gaps.gaps
        if gap.direction == own
    ]
    blocks = [
        ChartZone(_ORDER_BLOCK, block.direction, times_ms[block.index], block.top, block.bottom)
        for block in view.order_blocks.order_blocks
        if block.direction == own
    ]
    breaks = [
        ChartLine(str(each.kind), times_ms[each.swing_index], times_ms[each.index], each.level)
        for each in view.structure.breaks
    ]
    sweeps = [
        ChartLine(_SWEEP, times_ms[max(each.taken_at - 8, 0)], times_ms[each.index], each.price)
        for each in view.liquidity.sweeps
    ]
    return (
        (*_nearest(gaps, signal), *_nearest(blocks, signal)),
        (*breaks[-_MOST_MARKS:], *sweeps[-_MOST_MARKS:]),
    )


def _nearest(zones: Sequence[ChartZone], signal: TradingSignal) -> list[ChartZone]:
    """The zones nearest to the entry, in the order of time."""
    nearest = sorted(zones, key=lambda zone: abs((zone.top + zone.bottom) / 2 - signal.entry_price))
    return sorted(nearest[:_MOST_MARKS], key=lambda zone: zone.from_ms)


def draw(chart: SignalChart, *, is_dark: bool = False) -> bytes:
    """The chart as PNG, 1200 by 675 pixels and at most 80 kB; equal charts give equal bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image, PngImagePlugin

    palette = DARK if is_dark else LIGHT
    with rc_context({"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"]}):
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor=palette.card)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((_LEFT, _BOTTOM, 1 - _LEFT - _RIGHT, 1 - _TOP - _BOTTOM))
        axes.set_facecolor(palette.card)
        _Drawing(chart, axes, palette).draw()
        canvas.draw()  # type: ignore[no-untyped-call]
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), drawn)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", f"{chart.signal.signal_id} {chart.signal.instrument} {chart.timeframe}")
    notes.add_text("goldtrader-inputs", chart.digest())
    written = BytesIO()
    # 256 colours hold the few of the palette and their edges, in half of the bytes; of 64 gold
    # becomes red.
    few = pixels.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(written, format="PNG", optimize=False, compress_level=6, pnginfo=notes)
    return written.getvalue()


class _Drawing:
    """One picture in the making: x is the number of the candle, y the price."""

    def __init__(self, chart: SignalChart, axes: "Axes", palette: Palette) -> None:
        self._chart = chart
        self._axes = axes
        self._palette = palette
        self._times = chart.candles.time_ms
        self._last = len(self._times) - 1
        self._entered = self._place(chart.signal.timestamp_ms)
        #: The zones of risk and reward reach a little beyond the last candle.
        self._end = max(self._last, self._entered) + 8

    def draw(self) -> None:
        self._set_scale()
        self._draw_zones()
        self._draw_lines()
        self._draw_plan()
        self._draw_candles()
        self._draw_exits()
        self._draw_levels()
        self._draw_title()

    def _place(self, time_ms: int) -> float:
        """The x of a moment: within the candles, or as many later as it is."""
        step = self._chart.timeframe.milliseconds
        at = int(np.searchsorted(self._times, time_ms, side="right")) - 1
        if at < 0:
            return -1.0
        return at + min((time_ms - int(self._times[at])) / step, 1.0) - 0.5

    def _set_scale(self) -> None:
        signal, candles = self._chart.signal, self._chart.candles
        levels = (signal.entry_price, signal.stop_loss, signal.take_profit_1, signal.take_profit_2)
        low = min(float(candles.low.min()), *levels)
        high = max(float(candles.high.max()), *levels)
        room = (high - low or abs(high) or 1.0) * 0.04
        axes, palette = self._axes, self._palette
        axes.set_ylim(low - room, high + room)
        axes.set_xlim(-1, self._end + 0.5)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.grid(visible=True, axis="y", color=palette.rule, linewidth=1)
        axes.set_axisbelow(True)
        number_axis(axes, "y", most_ticks=6)
        axes.tick_params(length=0, labelleft=False)
        self._name_times()

    def _name_times(self) -> None:
        """Name some full hours at the bottom, and the day where it is another one."""
        step = max(1, len(self._times) // 4)
        day, places, names = None, [], []
        for place in range(step // 2, len(self._times), step):
            moment = utc(int(self._times[place]))
            form = "%H:%M" if moment.date() == day else "%d %b %H:%M"
            day = moment.date()
            places.append(place)
            names.append(f"{moment:{form}}")
        self._axes.set_xticks(places, names, fontsize=_SMALL, color=self._palette.quiet)

    def _draw_candles(self) -> None:
        from matplotlib.collections import LineCollection, PolyCollection

        candles, palette = self._chart.candles, self._palette
        x = np.arange(len(candles), dtype=np.float64)
        is_up = candles.close >= candles.open
        colours = np.where(is_up, palette.won, palette.lost).tolist()
        wicks = np.stack(
            [np.stack([x, candles.low], axis=1), np.stack([x, candles.high], axis=1)], axis=1
        )
        low, high = self._axes.get_ylim()
        thin = (high - low) / HEIGHT
        bottom = np.minimum(candles.open, candles.close)
        top = np.maximum(np.maximum(candles.open, candles.close), bottom + thin)
        half = 0.34
        bodies = np.stack(
            [
                np.stack([x - half, bottom], axis=1),
                np.stack([x + half, bottom], axis=1),
                np.stack([x + half, top], axis=1),
                np.stack([x - half, top], axis=1),
            ],
            axis=1,
        )
        self._axes.add_collection(
            LineCollection(list(wicks), colors=colours, linewidths=2, zorder=4), autolim=False
        )
        self._axes.add_collection(
            PolyCollection(list(bodies), facecolors=colours, linewidths=0, zorder=5), autolim=False
        )

    def _draw_zones(self) -> None:
        low, high = self._axes.get_ylim()
        named: dict[str, list[float]] = {}
        for zone in self._chart.zones:
            own = self._palette.won if zone.direction == Bias.BULLISH else self._palette.lost
            colour = self._palette.gold if zone.name == _ORDER_BLOCK else own
            begin = max(self._place(zone.from_ms), -1.0)
            self._axes.fill_between(
                [begin, self._entered],
                zone.bottom,
                zone.top,
                color=colour,
                alpha=0.20,
                linewidth=0,
                zorder=2,
            )
            middle = (zone.top + zone.bottom) / 2
            others = named.setdefault(zone.name, [])
            # Zones of a kind that lie on each other share a name.
            if all(abs(middle - other) > (high - low) * _LABEL_ROOM for other in others):
                self._write(begin + 0.6, middle, zone.name, colour, zorder=6)
                others.append(middle)

    def _draw_lines(self) -> None:
        colour = self._palette.quiet
        names: dict[float, tuple[list[str], float]] = {}
        for line in self._chart.lines:
            begin, end = max(self._place(line.from_ms), -1.0), self._place(line.to_ms)
            if end <= begin:
                continue
            style = (0, (2, 2)) if line.name == _SWEEP else "solid"
            self._axes.plot(
                [begin, end], [line.price] * 2, color=colour, linewidth=2, linestyle=style, zorder=3
            )
            # A level that was broken and swept has one name.
            names.setdefault(line.price, ([], (begin + end) / 2))[0].append(line.name)
        for price, (of_level, x) in names.items():
            text = " + ".join(dict.fromkeys(of_level))
            # Half a name is about so wide: it stays within the picture.
            x = max(x, 0.21 * len(text) * (self._end + 1) / BEFORE - 1)
            self._write(x, price, text, colour, zorder=6, is_above=True)

    def _draw_plan(self) -> None:
        """Risk and reward, from the entry on."""
        signal, axes, palette = self._chart.signal, self._axes, self._palette
        span = [self._entered, self._end]
        shades = ((signal.stop_loss, palette.lost), (signal.take_profit_2, palette.won))
        for level, colour in shades:
            axes.fill_between(
                span, signal.entry_price, level, color=colour, alpha=0.13, linewidth=0, zorder=1
            )

    def _draw_levels(self) -> None:
        signal, palette, show = self._chart.signal, self._palette, self._chart.instrument.show
        levels = (
            ("TP2", signal.take_profit_2, palette.won),
            ("TP1", signal.take_profit_1, palette.won),
            (str(signal.direction), signal.entry_price, palette.ink),
            ("SL", signal.stop_loss, palette.lost),
        )
        low, high = self._axes.get_ylim()
        at = _spread([(price - low) / (high - low) for _, price, _ in levels], _LABEL_ROOM)
        for (name, price, colour), height in zip(levels, at, strict=True):
            self._axes.plot(
                [self._entered, self._end],
                [price] * 2,
                color=colour,
                linewidth=2.5,
                linestyle="solid" if colour == palette.ink else (0, (4, 2)),
                zorder=3,
            )
            self._axes.text(
                1.012,
                height,
                f"{name}  {show(price)}",
                transform=self._axes.transAxes,
                fontsize=_MEDIUM,
                fontweight="bold",
                color=colour,
                verticalalignment="center",
            )

    def _draw_exits(self) -> None:
        trade = self._chart.trade
        if trade is None:
            return
        path = [(self._place(trade.entry_time_ms), float(trade.entry_price))]
        exits = [
            (self._place(each.time_ms), float(each.price), _EXITS.get(each.kind, "exit"))
            for each in trade.partial_closes
        ]
        path += [(x, y) for x, y, _ in exits]
        ink = self._palette.ink
        self._axes.plot(
            [x for x, _ in path],
            [y for _, y in path],
            color=ink,
            linewidth=2.5,
            marker="o",
            markersize=9,
            markeredgecolor=self._palette.card,
            zorder=7,
        )
        for x, y, name in exits:
            self._write(x + 0.5, y, name, ink, zorder=8, is_above=True)

    def _draw_title(self) -> None:
        chart, palette = self._chart, self._palette
        signal, trade = chart.signal, chart.trade
        figure = self._axes.figure
        up = signal.direction.sign > 0
        own = palette.won if up else palette.lost
        title = f"{signal.instrument} {chart.timeframe} {'▲' if up else '▼'} {signal.direction}"
        shown = figure.text(
            *(_LEFT + 0.004, _TITLE, title),
            fontsize=_LARGE,
            fontweight="bold",
            color=own,
            verticalalignment="center",
        )
        text, colour = f"R:R 1:{signal.risk_reward_ratio:g}", palette.ink
        if trade is not None:
            text = _result(trade)
            colour = palette.won if trade.profit_loss > 0 else palette.lost
        beside = shown.get_window_extent().x1 / WIDTH
        figure.text(
            *(beside + 0.03, _TITLE, text),
            fontsize=_LARGE,
            fontweight="bold",
            color=colour,
            verticalalignment="center",
        )
        figure.text(
            *(0.988, _TITLE, f"{utc(signal.timestamp_ms):%d %b %Y %H:%M} UTC"),
            fontsize=_MEDIUM,
            color=palette.quiet,
            horizontalalignment="right",
            verticalalignment="center",
        )
        figure.text(
            *(0.988, 0.012, signal.signal_id),
            fontsize=_SMALL,
            color=palette.quiet,
            horizontalalignment="right",
            verticalalignment="bottom",
        )
        if chart.is_simulated:
            self._axes.text(
                *(0.42, 0.5, "SIMULATED"),
                transform=self._axes.transAxes,
                fontsize=90,
                fontweight="bold",
                color=palette.quiet,
                alpha=0.16,
                rotation=18,
                horizontalalignment="center",
                verticalalignment="center",
                zorder=0,
            )

    def _write(
        self, x: float, y: float, text: str, colour: str, *, zorder: int, is_above: bool = False
    ) -> None:
        from matplotlib.patheffects import withStroke

        self._axes.annotate(
            text,
            (x, y),
            xytext=(0, 4 if is_above else 0),
            textcoords="offset points",
            fontsize=_SMALL,
            color=colour,
            fontweight="bold",
            verticalalignment="bottom" if is_above else "center",
            horizontalalignment="center" if is_above else "left",
            path_effects=[withStroke(linewidth=4, foreground=self._palette.card)],
            zorder=zorder,
            annotation_clip=True,
        )


def _result(trade: Trade) -> str:
    r = trade.r_multiple
    money = f"{trade.profit_loss:+z,.2f}"
    return f"{money[0]}${money[1:]}" + ("" if r is None else f"  {r:+z.2f} R")


def _spread(heights: Iterable[float], room: float) -> list[float]:
    """Heights moved apart to ``room`` at least, in their order, around where they were."""
    wanted = list(heights)
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    placed = list(wanted)
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + room)
    above = placed[order[-1]] - (1 - room / 2)
    if above > 0:
        for place in reversed(order):
            placed[place] = min(
                placed[place], 1 - room / 2 - room * (len(order) - 1 - order.index(place))
            )
    return placed
