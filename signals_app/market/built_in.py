"""The instruments that are known before anybody adds one: pairs, metals, indices, coins.

docs/domain/instruments.md is this table for people. A broker's own contract may differ: the row in
the admin decides, which is made from here when a symbol is first used.
"""

import re
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from signals_app.market.instrument import DEFAULT_INSTRUMENTS, FRIDAY, Instrument

#: What pairs are quoted in: three letters of each make six.
CURRENCIES = frozenset(
    (
        "AUD", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY",
        "MXN", "NOK", "NZD", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "USD", "ZAR",
    )
)  # fmt: skip
#: Quoted in currencies as a currency is.
METALS = frozenset(("XAU", "XAG", "XPT", "XPD"))
#: Currencies of which a dollar is a hundred or more: their pairs have two decimals less.
_CHEAP = frozenset(("JPY", "HUF"))
_ENDING = re.compile(r"[._#&+-]")


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Base and quote currency of a pair or metal, `None` where the symbol names none.

    What a broker put behind it is passed over: USDJPY.m is in yen.
    """
    name = _ENDING.split(symbol.upper(), maxsplit=1)[0]
    base, quote = name[:3], name[3:6]
    return (base, quote) if base in CURRENCIES | METALS and quote in CURRENCIES else None


def known_instrument(symbol: str) -> Instrument | None:
    """The built-in instrument of a symbol in any letters, whatever ending a broker gave it."""
    name = symbol.upper()
    names = (name, _ENDING.split(name, maxsplit=1)[0], "".join(pair_of(name) or ()))
    return next((BUILT_IN[name] for name in names if name in BUILT_IN), None)


def guessed_instrument(symbol: str) -> Instrument:
    """What can be said of a symbol that nobody described.

    A pair says by its letters what it is. Of anything else the currency stays open, so that nothing
    is sized before somebody says it.
    """
    letters = pair_of(symbol)
    if letters is None or letters[0] in METALS:
        return replace(pair("EURUSD", 10), symbol=symbol, quote_currency="")
    return replace(pair("".join(letters), 20), symbol=symbol)


def pair(symbol: str, spread_points: int) -> Instrument:
    """A currency pair as brokers trade it: a pip is ten points, a lot 100,000 of the base."""
    quote = symbol[3:6]
    digits = 3 if quote in _CHEAP else 5
    return Instrument(
        symbol=symbol,
        pip=0.01 if quote in _CHEAP else 0.0001,
        contract_size=100_000,
        digits=digits,
        signal_prefix=symbol,
        default_spread=float(Decimal(spread_points).scaleb(-digits)),
        quote_currency=quote,
    )


def _index(
    symbol: str,
    currency: str,
    spread: float,
    contract_size: int = 1,
    maximum_spread_pips: float | None = None,
) -> Instrument:
    """An index as a contract for difference: a pip is one point of the index."""
    return Instrument(
        symbol=symbol,
        pip=1.0,
        contract_size=contract_size,
        digits=1,
        signal_prefix=symbol,
        default_spread=spread,
        quote_currency=currency,
        triple_swap_day=FRIDAY,
        maximum_spread_pips=maximum_spread_pips,
    )


def _coin(
    symbol: str, prefix: str, spread: float, maximum_spread_pips: float | None = None
) -> Instrument:
    """A coin in dollars: a pip is one dollar, a lot one coin."""
    return Instrument(
        symbol=symbol,
        pip=1.0,
        contract_size=1,
        digits=2,
        signal_prefix=prefix,
        default_spread=spread,
        triple_swap_day=FRIDAY,
        maximum_spread_pips=maximum_spread_pips,
    )


_METALS = (
    Instrument("XAGUSD", 0.01, 5000, 3, "XAG", 0.03),
    Instrument("XAUEUR", 0.1, 100, 2, "XAUEUR", 0.40, quote_currency="EUR"),
)
_PAIRS = (
    pair("AUDUSD", 10),
    pair("NZDUSD", 12),
    pair("USDCHF", 12),
    pair("USDJPY", 10),
    pair("EURGBP", 12),
    pair("EURJPY", 14),
    pair("EURCHF", 15),
    pair("EURAUD", 20),
    pair("EURCAD", 20),
    pair("EURNZD", 28),
    pair("GBPJPY", 20),
    pair("GBPCHF", 22),
    pair("GBPAUD", 26),
    pair("GBPCAD", 26),
    pair("GBPNZD", 36),
    pair("AUDJPY", 14),
    pair("AUDCAD", 16),
    pair("AUDCHF", 16),
    pair("AUDNZD", 18),
    pair("CADJPY", 15),
    pair("CADCHF", 16),
    pair("CHFJPY", 18),
    pair("NZDJPY", 16),
    pair("NZDCAD", 18),
    pair("NZDCHF", 18),
)
_INDICES = (
    _index("US30", "USD", 2.5),
    _index("US500", "USD", 0.5),
    _index("NAS100", "USD", 1.5),
    _index("GER40", "EUR", 1.5),
    _index("UK100", "GBP", 1.2),
    # A point of one is not a cent: brokers make a lot of a hundred.
    _index("JP225", "JPY", 8.0, contract_size=100, maximum_spread_pips=30.0),
)
_COINS = (
    _coin("BTCUSD", "BTC", 20.0, 60.0),
    _coin("ETHUSD", "ETH", 2.0),
)

#: By symbol, those of a new database first.
BUILT_IN = MappingProxyType(
    {one.symbol: one for one in (*DEFAULT_INSTRUMENTS, *_METALS, *_PAIRS, *_INDICES, *_COINS)}
)
