"""One close decided with defaults that a test changes one at a time."""

from dataclasses import replace
from decimal import Decimal

from signals_app.confluence.decision import Verdict, decide
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.confluence.refusals import Refusal
from signals_app.confluence.signal import TradingSignal
from signals_app.market.instrument import DEFAULT_INSTRUMENTS, Instrument
from signals_app.market.tick import Tick
from tests.signals_app.confluence.views import (
    CLOSE_MS,
    Drawing,
    bullish_market,
    views,
)

GOLD, EURUSD = DEFAULT_INSTRUMENTS[:2]
ENTRY = Tick(77, CLOSE_MS + 250, 2000.0, 2000.3)
EXPOSURE = Exposure(balance=Decimal(10000))


def decided(
    market: tuple[Drawing, Drawing, Drawing] | None = None,
    *,
    entry: Tick = ENTRY,
    exposure: Exposure = EXPOSURE,
    number: int = 1,
    instrument: Instrument = GOLD,
    **settings: float,
) -> Verdict:
    return decide(
        instrument,
        views(market or bullish_market()),
        entry,
        exposure,
        replace(Parameters(), **settings),
        number,
    )


def refused(*args, **kwargs) -> Refusal:
    verdict = decided(*args, **kwargs)
    assert verdict.signal is None
    assert verdict.refusal is not None
    return verdict.refusal


def signalled(*args, **kwargs) -> TradingSignal:
    verdict = decided(*args, **kwargs)
    assert verdict.refusal is None
    assert verdict.signal is not None
    return verdict.signal


def levels_of(signal: TradingSignal) -> tuple[float, ...]:
    return signal.entry_price, signal.stop_loss, signal.take_profit_1, signal.take_profit_2
