"""The settings that a run of the engine has: the defaults, or a strategy stored in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports_app.backtest.market_files import BadInput
from signals_app.confluence.limits import changed, read_change
from signals_app.confluence.parameters import Parameters
from signals_app.market.built_in import BUILT_IN
from signals_app.market.instrument import Instrument
from signals_app.market.symbols import UnknownSymbol, find_instrument
from signals_app.models import Strategy
from signals_app.services.price_history import instruments_by_symbol

#: Names the strategy that decides now, whatever its version.
LIVE = "live"


class NoStrategy(BadInput):
    """There is no such strategy; the sentence says which ones there are."""


class UnknownInstrument(BadInput):
    """There is no such instrument; the sentence says which ones there are."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A strategy's parameters, every instrument by its symbol, and `source`: where they are from.

    On a report it reads "settings: the defaults, with threshold=85".
    """

    parameters: Parameters
    instruments: Mapping[str, Instrument]
    source: str

    def instrument(self, symbol: str) -> Instrument:
        """Look up an instrument by its symbol; raises `UnknownInstrument`."""
        try:
            return find_instrument(symbol, self.instruments)
        except UnknownSymbol as error:
            raise UnknownInstrument(str(error)) from None

    def changed(self, changes: Sequence[str]) -> "Setup":
        """Change parameters, each given as NAME=VALUE; raises `BadParameter`."""
        if not changes:
            return self
        parameters = changed(self.parameters, dict(map(read_change, changes)))
        return Setup(parameters, self.instruments, f"{self.source}, with {', '.join(changes)}")


def default_setup() -> Setup:
    """The parameters and instruments of a new installation; needs no database."""
    return Setup(Parameters(), BUILT_IN, "the defaults")


def stored_setup(which: str) -> Setup:
    """Read from the database the strategy that is `LIVE`, or of a version (`3` or `v3`).

    Raises `NoStrategy`.
    """
    strategy = _strategy(which)
    return Setup(
        strategy.value(),
        instruments_by_symbol(),
        f"{strategy}, {strategy.status.lower()}",
    )


def _strategy(which: str) -> Strategy:
    known = Strategy.objects.order_by("version")
    if which == LIVE:
        found = known.filter(status=Strategy.Status.LIVE).first()
        if found is None and not known.exists():
            # Nothing was decided yet; the first close will be decided by the defaults.
            return Strategy()
    else:
        version = which.removeprefix("v")
        found = known.filter(version=int(version)).first() if version.isdecimal() else None
    if found is None:
        versions = ", ".join(f"{one.version} ({one.status.lower()})" for one in known)
        raise NoStrategy(f"There is no strategy {which!r}; there are {versions or 'none'}.")
    return found
