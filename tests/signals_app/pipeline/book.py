"""A trade book that keeps no trades, for tests of the pipeline alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick, Ticks


@dataclass
class FakeBook:
    """Says what it was asked in `signals` and `decided`; `on_ticks` is called with what moves."""

    on_ticks: Callable[[str, Ticks], None] = lambda _symbol, _ticks: None
    needed: Iterable[int] = ()
    signals: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)

    def move(self, symbol: str, ticks: Ticks) -> None:
        self.on_ticks(symbol, ticks)

    def exposure_before(
        self, instrument: Instrument, parameters: Parameters, entry: Tick
    ) -> Exposure:
        return Exposure(balance=Decimal(10_000))

    def needed_ordinals(self, symbol: str) -> Iterable[int]:
        return self.needed

    def on_signal(self, signal_id: str) -> None:
        self.signals.append(signal_id)

    def on_decisions(self, symbol: str) -> None:
        self.decided.append(symbol)
