"""Candles: one closed candle, and a window of them held as columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from signals_app.market.encoding import as_json
from signals_app.market.tick import Float64s, Int64s

#: Candles of each timeframe that an analysis looks at: the last 200 closed ones.
WINDOW = 200


class Timeframe(StrEnum):
    """The length of a candle. The pipeline builds and analyses M15, H1 and H4."""

    M1 = "M1"
    M5 = "M5"
    M15 = "M15"
    M30 = "M30"
    H1 = "H1"
    H4 = "H4"
    D1 = "D1"

    @property
    def milliseconds(self) -> int:
        return _MINUTES[self] * 60_000

    def opening(self, time_ms: int) -> int:
        """The opening of the candle that ``time_ms`` falls in, aligned to UTC midnight."""
        return time_ms - time_ms % self.milliseconds


_MINUTES = {
    Timeframe.M1: 1,
    Timeframe.M5: 5,
    Timeframe.M15: 15,
    Timeframe.M30: 30,
    Timeframe.H1: 60,
    Timeframe.H4: 240,
    Timeframe.D1: 1440,
}

#: What the pipeline builds from ticks, shortest first.
TIMEFRAMES = (Timeframe.M15, Timeframe.H1, Timeframe.H4)


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle of bid prices. `time_ms` is its opening time, `volume` its number of ticks."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def candle_as_json(candle: Candle) -> dict[str, str | float]:
    """The candle as commands and the API give it: `time` is its opening, ISO 8601 UTC."""
    return as_json(candle) | {"volume": int(candle.volume)}


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Closed candles of one timeframe, oldest first, as equally long columns."""

    time_ms: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s
    volume: Float64s

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, index: int) -> Candle:
        return Candle(
            int(self.time_ms[index]),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def __iter__(self) -> Iterator[Candle]:
        columns = (
            column.tolist()
            for column in (self.time_ms, self.open, self.high, self.low, self.close, self.volume)
        )
        for row in zip(*columns, strict=True):
            yield Candle(*row)

    def part(self, start: int | None, stop: int | None = None) -> "Candles":
        """The candles at places ``start`` to ``stop`` (exclusive), as a view."""
        return Candles(
            self.time_ms[start:stop],
            self.open[start:stop],
            self.high[start:stop],
            self.low[start:stop],
            self.close[start:stop],
            self.volume[start:stop],
        )

    def window(self, end: int, size: int = WINDOW) -> "Candles":
        """The last ``size`` candles before place ``end``, fewer where there are fewer."""
        return self.part(max(end - size, 0), end)

    def followed_by(self, later: "Candles") -> "Candles":
        """These candles and the later ones behind them, as new columns."""
        return Candles(
            np.concatenate((self.time_ms, later.time_ms)),
            np.concatenate((self.open, later.open)),
            np.concatenate((self.high, later.high)),
            np.concatenate((self.low, later.low)),
            np.concatenate((self.close, later.close)),
            np.concatenate((self.volume, later.volume)),
        )

    @classmethod
    def of(cls, candles: Iterable[Candle]) -> "Candles":
        """The given candles, which are in order of time, as columns."""
        rows = [(c.time_ms, c.open, c.high, c.low, c.close, c.volume) for c in candles]
        time_ms, *prices = zip(*rows, strict=True) if rows else ((),) * 6
        return cls(
            np.array(time_ms, dtype=np.int64),
            *(np.array(column, dtype=np.float64) for column in prices),
        )
