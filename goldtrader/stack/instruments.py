"""What the database says of a feed's symbol, and that the stack's own connector may send it.

By plain SQL: this process must hold no connection of Django's when it forks.
"""

from dataclasses import dataclass, replace

import psycopg
from psycopg.types.json import Jsonb as Json

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes.children import CONNECTOR_NAME
from signals_app.market.built_in import BUILT_IN

_WIDEN_KEY = """
UPDATE api_keys SET symbols = symbols || %(symbol)s
WHERE name = %(key)s AND scope = 'connector' AND NOT symbols @> %(symbol)s
RETURNING 'goldtrader.apikey', name || ' (' || prefix || ')', symbols - -1, symbols
"""
_WIDEN_CONNECTORS = """
UPDATE connectors SET symbols = symbols || %(symbol)s
WHERE %(key)s IN (name, owner) AND NOT symbols @> %(symbol)s
RETURNING 'signals_app.connector', name, symbols - -1, symbols
"""
#: The audit's row, in the transaction of the change; the stack acts for the product.
_RECORD = """
INSERT INTO audit_entries
    (at, door, who, key, via, action, subject_type, subject, before, after)
VALUES (now(), 'system', 'goldtrader', '', 'manage.py stack', 'changed', %s, %s,
    jsonb_build_object('symbols', %s::jsonb), jsonb_build_object('symbols', %s::jsonb))
"""


@dataclass(frozen=True, slots=True)
class FeedInstrument:
    """An instrument of the admin: its own spelling, and how candles of it are read."""

    symbol: str
    digits: int
    default_spread: float


def admit(database_url: str, symbol: str) -> FeedInstrument:
    """The instrument of this symbol, in whatever case; the stack's own connector may send it then.

    A built-in one needs no row yet. Raises `StackError` where there is none.
    """
    with psycopg.connect(database_url, connect_timeout=10) as database:
        row = database.execute(
            "SELECT symbol, digits, default_spread FROM instruments"
            " WHERE upper(symbol) = upper(%s)",
            (symbol,),
        ).fetchone()
        known = BUILT_IN.get(symbol.upper())
        if row is None and known is not None:
            # Its first tick makes the row.
            row = (known.symbol, known.digits, known.default_spread)
        if row is None:
            rows = database.execute("SELECT symbol FROM instruments ORDER BY symbol").fetchall()
            names = ", ".join(dict.fromkeys([*(name for (name,) in rows), *BUILT_IN]))
            raise StackError(
                f"There is no instrument {symbol}: start with --feed none, add it in the admin, "
                f"and start again; or give one of {names} to --symbol."
            )
        found = FeedInstrument(*row)
        values = {"symbol": Json(found.symbol), "key": CONNECTOR_NAME}
        for statement in (_WIDEN_KEY, _WIDEN_CONNECTORS):
            for subject_type, subject, before, after in database.execute(statement, values):
                changed = (subject_type, subject, Json(before), Json(after))
                database.execute(_RECORD, changed)
    return found


def missing_rate(database_url: str, symbol: str) -> str:
    """The sentence that says why no signal of this symbol can be sized; empty where all can.

    Its money is exchanged by another pair, of which the database has nothing.
    """
    # Here: it brings numpy.
    from signals_app.market.conversion import NoRate, rate_pair

    with psycopg.connect(database_url, connect_timeout=10) as database:
        row = database.execute(
            "SELECT quote_currency FROM instruments WHERE symbol = %s", (symbol,)
        ).fetchone()
        known = BUILT_IN.get(symbol)
        currency = row[0] if row is not None else known.quote_currency if known else "USD"
        try:
            of_currency = replace(known or BUILT_IN["XAUUSD"], quote_currency=currency)
            pair = rate_pair(replace(of_currency, symbol=symbol))
        except NoRate as unknown:
            return f"No signal of it can be sized: {unknown}."
        if (
            pair is None
            or database.execute(
                "SELECT 1 FROM price_history WHERE instrument = %s LIMIT 1", (pair.symbol,)
            ).fetchone()
        ):
            return ""
    return (
        f"{symbol} is quoted in {currency}, and there are no candles of {pair.symbol}: its signals "
        "are refused (NO_RATE) until that is fed, or its history is given by --history."
    )
