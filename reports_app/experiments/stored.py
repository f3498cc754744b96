"""What the live system is set to: a strategy's parameters and the instruments of a database."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports_app.experiments.files import BadInput
from signals_app.confluence.parameters import Parameters
from signals_app.market.instrument import Instrument
from signals_app.models import Instrument as InstrumentRow
from signals_app.models import Strategy

LIVE = "live"


class NoStrategy(BadInput):
    """There is no such strategy; the sentence says which ones there are."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One strategy as it stands in the database, and every instrument by its symbol."""

    name: str
    parameters: Parameters
    instruments: Mapping[str, Instrument]


def read_stored(which: str) -> Stored:
    """Return the strategy that is `live`, or the one of that version; raises `NoStrategy`."""
    strategy = _strategy(which)
    return Stored(
        f"{strategy}, {strategy.status.lower()}",
        strategy.value(),
        {row.symbol: row.value() for row in InstrumentRow.objects.all()},
    )


def _strategy(which: str) -> Strategy:
    known = Strategy.objects.order_by("version")
    if which == LIVE:
        found = known.filter(status=Strategy.Status.LIVE).first()
        if found is None and not known.exists():
            # Nothing was decided yet; what then begins has the defaults.
            return Strategy()
    else:
        version = which.removeprefix("v")
        found = known.filter(version=int(version)).first() if version.isdecimal() else None
    if found is None:
        versions = ", ".join(f"{one.version} ({one.status.lower()})" for one in known)
        raise NoStrategy(f"There is no strategy {which!r}; there are {versions or 'none'}.")
    return found
