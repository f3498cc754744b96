"""Small charts as inline SVG: lines, bars and histograms, drawn from numbers alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from signals_app.market.tick import Float64s

_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 12.0, 10.0, 26.0
#: More points than this for each unit of a chart's width show nothing more.
_POINTS_A_UNIT = 1.4
#: The most names that bars have room for.
_NAMES = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line in a histogram, with what it stands for."""

    at: float
    text: str
    kind: str


def area_line(
    x: Float64s,
    y: Float64s,
    ticks: Sequence[tuple[float, str]],
    *,
    width: int,
    height: int,
    kind: str,
    base: float,
    label: str,
) -> str:
    """Return a line of ``y`` over ascending ``x``, filled down to ``base``.

    ``ticks`` name places on x. ``kind`` is the style's name.
    """
    x, y = _thinned(x, y, round(width * _POINTS_A_UNIT))
    scale_y = _Scale.over(min(float(y.min()), base), max(float(y.max()), base))
    frame = _Frame(width, height, float(x[0]), float(x[-1]), scale_y)
    points = " ".join(
        f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
    )
    floor = frame.y(base)
    area = (
        f"{frame.x(float(x[0])):.1f},{floor:.1f} {points} {frame.x(float(x[-1])):.1f},{floor:.1f}"
    )
    return frame.drawn(
        f'<polygon class="area {kind}" points="{area}"/>'
        f'<polyline class="line {kind}" points="{points}"/>',
        ticks,
        label,
        base=base,
    )


def bars(values: Sequence[tuple[str, float]], *, width: int, height: int, label: str) -> str:
    """Return a bar for each named value, up where it is above zero and down where below."""
    numbers = [value for _, value in values]
    scale = _Scale.over(min(*numbers, 0.0), max(*numbers, 0.0))
    frame = _Frame(width, height, 0.0, float(len(values)), scale)
    zero, thick = frame.y(0.0), (frame.x(1.0) - frame.x(0.0)) * 0.62
    drawn = []
    for place, (name, value) in enumerate(values):
        middle, end = frame.x(place + 0.5), frame.y(value)
        tall = max(abs(end - zero), 0.5)
        drawn.append(
            f'<rect class="{"won" if value >= 0 else "lost"}" x="{middle - thick / 2:.1f}" '
            f'y="{min(zero, end):.1f}" width="{thick:.1f}" height="{tall:.1f}" '
            f'rx="2"><title>{escape(name)}: {value:,.2f}</title></rect>'
        )
    every = -(-len(values) // _NAMES)
    ticks = [(place + 0.5, name) for place, (name, _) in enumerate(values) if place % every == 0]
    return frame.drawn("".join(drawn), ticks, label, base=0.0)


def histogram(
    values: Float64s,
    marks: Sequence[Mark],
    *,
    width: int,
    height: int,
    label: str,
    split: float = 0.0,
    kinds: tuple[str, str] = ("lost", "won"),
) -> str:
    """Return how often the values lie where, with marks on it.

    ``kinds`` are the styles of what lies below ``split`` and of what does not.
    """
    places = [mark.at for mark in marks]
    low, high = min(float(values.min()), *places, 0.0), max(float(values.max()), *places, 0.0)
    room = (high - low or 1.0) * 0.04
    scale_x = _Scale.over(low - room, high + room)
    counts, edges = np.histogram(values, bins=min(60, max(12, len(values) // 8)))
    frame = _Frame(
        width, height, low - room, high + room, _Scale.over(0.0, float(counts.max())), top=26.0
    )
    drawn = [
        f'<rect class="{kinds[int(middle >= split)]}" x="{frame.x(left):.1f}" '
        f'y="{frame.y(float(count)):.1f}" width="{max(frame.x(right) - frame.x(left) - 1, 1):.1f}" '
        f'height="{frame.y(0.0) - frame.y(float(count)):.1f}"><title>{left:+.2f} to {right:+.2f}: '
        f"{count:,}</title></rect>"
        for count, left, right in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
        for middle in ((left + right) / 2,)
    ]
    for row, mark in enumerate(marks):
        at, is_right = frame.x(mark.at), frame.x(mark.at) > width * 0.7
        drawn.append(
            f'<line class="mark {mark.kind}" x1="{at:.1f}" x2="{at:.1f}" y1="6" '
            f'y2="{frame.y(0.0):.1f}"/>'
            f'<text class="said {mark.kind}" x="{at + (-5 if is_right else 5):.1f}" '
            f'y="{14 + 14 * row}" text-anchor="{"end" if is_right else "start"}">'
            f"{escape(mark.text)}</text>"
        )
    ticks = [(at, f"{at:,.{scale_x.decimals}f}") for at in scale_x.ticks]
    return frame.drawn("".join(drawn), ticks, label, base=0.0)


@dataclass(frozen=True, slots=True)
class _Scale:
    """An axis with round numbers on it."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, low: float, high: float) -> "_Scale":
        span = high - low or 1.0
        rough = span / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough)
        return cls(low, low + span, step)

    @property
    def ticks(self) -> list[float]:
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        return [n * self.step for n in range(first, last + 1)]

    @property
    def decimals(self) -> int:
        return max(0, -math.floor(math.log10(self.step) + 1e-9) + (self.step * 10 % 1 > 1e-9))


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where numbers are on the paper."""

    width: int
    height: int
    x_low: float
    x_high: float
    scale_y: _Scale
    top: float = _TOP

    def x(self, value: float) -> float:
        span = self.x_high - self.x_low or 1.0
        return _LEFT + (self.width - _LEFT - _RIGHT) * (value - self.x_low) / span

    def y(self, value: float) -> float:
        span = self.scale_y.high - self.scale_y.low
        share = (value - self.scale_y.low) / span
        return self.height - _BOTTOM - (self.height - self.top - _BOTTOM) * share

    def drawn(
        self, content: str, ticks: Sequence[tuple[float, str]], label: str, *, base: float
    ) -> str:
        lines = []
        for value in self.scale_y.ticks:
            at, text = self.y(value), f"{value:,.{self.scale_y.decimals}f}"
            lines.append(
                f'<line class="grid" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{at:.1f}" '
                f'y2="{at:.1f}"/><text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
                f"{text}</text>"
            )
        names = [
            f'<text x="{self.x(value):.1f}" y="{self.height - 8}" text-anchor="middle">'
            f"{escape(text)}</text>"
            for value, text in ticks
        ]
        zero = self.y(base)
        axis = (
            f'<line class="axis" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{zero:.1f}" '
            f'y2="{zero:.1f}"/>'
        )
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(label)}">{"".join(lines)}{content}{axis}{"".join(names)}</svg>'
        )


def _thinned(x: Float64s, y: Float64s, points: int) -> tuple[Float64s, Float64s]:
    """Return the lowest and highest of each stretch, where there are more points than pixels."""
    if len(x) <= points:
        return x, y
    kept = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), points // 2):
        kept |= {int(part[np.argmin(y[part])]), int(part[np.argmax(y[part])])}
    places = np.array(sorted(kept))
    return x[places], y[places]
