"""The pipeline's trade book: live trades, and beside them those of strategies in shadow."""

from collections.abc import Iterable

from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Tick, Ticks
from signals_app.services import strategies
from trades_app import tasks
from trades_app.shadow import following
from trades_app.shadow import trading as shadow_trades
from trades_app.trading import exposure, moving

#: A follow-up of shadows that waited longer is made up for by the next sweep's.
_SHADOW_EXPIRES_SECONDS = 60


class LiveBook:
    """Implements `signals_app.pipeline.ports.TradeBook`."""

    def move(self, symbol: str, ticks: Ticks) -> None:
        moving.move_trades(symbol, ticks)
        shadow_trades.move(symbol, ticks)

    def exposure_before(
        self, instrument: Instrument, parameters: Parameters, entry: Tick
    ) -> Exposure:
        return exposure.exposure_before(instrument, parameters, entry)

    def needed_ordinals(self, symbol: str) -> Iterable[int]:
        return following.needed_ordinals(symbol)

    def on_signal(self, signal_id: str) -> None:
        tasks.open_trade.delay(signal_id)

    def on_decisions(self, symbol: str) -> None:
        if strategies.any_in_shadow():
            tasks.follow_in_shadow.apply_async((symbol,), expires=_SHADOW_EXPIRES_SECONDS)
