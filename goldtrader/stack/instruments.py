"""What the database says of a feed's symbol, and that the stack's own connector may send it.

By plain SQL: this process must hold no connection of Django's when it forks.
"""

from dataclasses import dataclass

import psycopg

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes.children import CONNECTOR_NAME


@dataclass(frozen=True, slots=True)
class FeedInstrument:
    """An instrument of the admin: its own spelling, and how candles of it are read."""

    symbol: str
    digits: int
    default_spread: float


def admit(database_url: str, symbol: str) -> FeedInstrument:
    """The instrument of this symbol, in whatever case; the stack's own connector may send it then.

    Raises `StackError` where there is none.
    """
    with psycopg.connect(database_url, connect_timeout=10) as database:
        row = database.execute(
            "SELECT symbol, digits, default_spread FROM instruments"
            " WHERE upper(symbol) = upper(%s)",
            (symbol,),
        ).fetchone()
        if row is None:
            rows = database.execute("SELECT symbol FROM instruments ORDER BY symbol").fetchall()
            known = ", ".join(name for (name,) in rows)
            raise StackError(
                f"There is no instrument {symbol}: start with --feed none, add it in the admin, "
                f"and start again; or give one of {known} to --symbol."
            )
        found = FeedInstrument(*row)
        database.execute(
            "UPDATE api_keys SET symbols = symbols || to_jsonb(%(symbol)s::text)"
            " WHERE name = %(key)s AND scope = 'connector'"
            " AND NOT symbols @> to_jsonb(%(symbol)s::text)",
            {"symbol": found.symbol, "key": CONNECTOR_NAME},
        )
        database.execute(
            "UPDATE connectors SET symbols = symbols || to_jsonb(%(symbol)s::text)"
            " WHERE %(key)s IN (name, owner) AND NOT symbols @> to_jsonb(%(symbol)s::text)",
            {"symbol": found.symbol, "key": CONNECTOR_NAME},
        )
    return found
