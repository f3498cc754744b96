"""The layouts of candle files, recognised by their header."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from signals_app.importers.candle_text import ACCEPTED_FORMATS, CandleText

PRICES: Final = ("open", "high", "low", "close")


class CandleFormat(StrEnum):
    """Who wrote a file, as it is shown to people; the formats write times differently."""

    ISO = "ISO CSV"
    DUKASCOPY = "Dukascopy"
    METATRADER = "MetaTrader 5 export"


@dataclass(frozen=True, slots=True)
class CandleLayout:
    """Where a file keeps what: the numbers of its columns by their names, of `width` in all."""

    format: CandleFormat
    separator: str
    columns: dict[str, int]
    width: int
    says_utc: bool

    @property
    def time_columns(self) -> list[str]:
        """The columns that hold text: one with the time, or date and time of day."""
        return [name for name in ("timestamp", "date", "time") if name in self.columns]


def find_layout(file: CandleText) -> CandleLayout:
    """Recognise a file by its first line; raises `CandleFileError`."""
    header = file.header()
    separator = next((mark for mark in "\t;," if mark in header), ",")
    names = [name.strip().strip('<>"').strip().lower() for name in header.split(separator)]
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    if "timestamp" in places:
        format_, times = CandleFormat.ISO, {"timestamp": places["timestamp"]}
    elif "gmt time" in places or "local time" in places:
        format_ = CandleFormat.DUKASCOPY
        times = {"timestamp": places.get("gmt time", places.get("local time", 0))}
    elif "date" in places:
        format_ = CandleFormat.METATRADER
        times = {column: places[column] for column in ("date", "time") if column in places}
    else:
        file.fail(
            f"does not begin with a known header but with {header[:80]!r}",
            f"give {ACCEPTED_FORMATS}",
        )
    for volume in ("tickvol", "vol"):
        if "volume" not in places and volume in places:
            places["volume"] = places[volume]
    missing = [column for column in (*PRICES, "volume") if column not in places]
    if missing:
        file.fail(f"has no column {missing[0]!r}", f"give {ACCEPTED_FORMATS}")
    numbers = {
        column: places[column] for column in (*PRICES, "volume", "spread") if column in places
    }
    return CandleLayout(format_, separator, times | numbers, len(names), "gmt time" in places)
