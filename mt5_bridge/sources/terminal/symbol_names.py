"""Which of a broker's symbols may be meant by a name: brokers add endings and have own names."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_MOST: Final = 5
_OTHER_NAMES: Final = {
    "XAUUSD": ("GOLD",),
    "XAGUSD": ("SILVER",),
    "BTCUSD": ("BITCOIN",),
}


def near_names(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to five of ``names`` that may be ``wanted``, the likeliest first.

    Those that hold it, or another usual name of it, come first, the shortest before the others;
    then those that are spelt alike.
    """
    bases = [_plain(each) for each in (wanted, *_OTHER_NAMES.get(_plain(wanted), ()))]
    by_plain: dict[str, list[str]] = {}
    for name in names:
        by_plain.setdefault(_plain(name), []).append(name)
    holding = sorted(
        (plain for plain in by_plain if plain and any(base in plain for base in bases)),
        key=lambda plain: (len(plain), plain),
    )
    alike = get_close_matches(bases[0], by_plain, n=_MOST, cutoff=0.75)
    found = dict.fromkeys([*holding, *alike])
    return [name for plain in found for name in sorted(by_plain[plain])][:_MOST]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.upper() if letter.isalnum())
