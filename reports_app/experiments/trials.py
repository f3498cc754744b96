"""One setting tried on one file, in whatever process: plain values in, plain values out."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from reports_app.assessment.trial import Trial
from reports_app.backtest.market_files import BadInput, Market, fingerprints, open_market
from signals_app.confluence.parameters import Parameters
from signals_app.market.instrument import Instrument

#: Of each trade: opened and closed (Unix ms) and its R multiple.
Trades = list[list[float]]
#: Parameters as JSON holds them, by their place in the search.
Candidates = Mapping[int, dict[str, Any]]
#: A trial that was lost so often, with the process that ran it, is not tried again.
TRIES = 3
_PATHS = ("ticks", "candles", "history", "rates")


class LostTrial(Exception):  # noqa: N818 - it names what happened
    """A trial's result cannot be had from there; the sentence says why."""


def plain_market(arguments: dict[str, Any]) -> dict[str, Any]:
    """Make the arguments of `open_market` what JSON can hold, paths absolute.

    What the files hold now is noted with them. Raises `BadInput`.
    """
    plain = {
        name: str(Path(value).resolve()) if name in _PATHS and value is not None else value
        for name, value in arguments.items()
    }
    plain["instrument"] = msgspec.to_builtins(arguments["instrument"])
    return plain | {"fingerprints": _fingerprints(plain)}


def plain_parameters(parameters: Parameters) -> dict[str, Any]:
    """The parameters as `run_trial` takes them."""
    return asdict(parameters)


def run_trial(market: dict[str, Any], parameters: dict[str, Any]) -> Trades:
    """Run the engine with these parameters and return the closed trades.

    Raises `BadInput` where the files are not those that were noted: all trials of a search are on
    the same prices.
    """
    if _fingerprints(market) != market["fingerprints"]:
        raise BadInput("A file changed while settings were tried on it; begin again.")
    opened = _opened(json.dumps(market, sort_keys=True))
    result = opened.run(Parameters(**parameters), described=False)
    return [
        [trade.entry_time_ms, trade.exit_time_ms, float(trade.r_multiple)]
        for trade, _ in result.trades
        if trade.exit_time_ms is not None and trade.r_multiple is not None
    ]


def trial_of(parameters: Parameters, trades: Trades) -> Trial:
    """A trial of what `run_trial` returned."""
    columns = np.array(trades, dtype=np.float64).reshape(-1, 3)
    opened, closed = columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64)
    return Trial(parameters, opened, closed, columns[:, 2].copy())


def _fingerprints(market: dict[str, Any]) -> dict[str, str]:
    history, rates = (
        None if market.get(name) is None else Path(market[name]) for name in ("history", "rates")
    )
    instrument = msgspec.convert(market["instrument"], Instrument)
    return fingerprints(Path(market["ticks"] or market["candles"]), history, rates, instrument)


# A process tries many settings on one file, which is read once; its fingerprint is part of the key.
@lru_cache(maxsize=1)
def _opened(market: str) -> Market:
    arguments = json.loads(market)
    del arguments["fingerprints"]
    for name in _PATHS:
        if arguments.get(name) is not None:
            arguments[name] = Path(arguments[name])
    arguments["instrument"] = msgspec.convert(arguments["instrument"], Instrument)
    return open_market(**arguments)
