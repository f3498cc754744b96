"""The pipeline's tasks: each takes ids, calls one function, and may run twice."""

from datetime import timedelta
from time import monotonic, time

import structlog
from celery import chord, shared_task

from signals_app import metrics
from signals_app.market.candle import TIMEFRAMES
from signals_app.pipeline import analysis, candles, decisions, stream, wakeups
from signals_app.pipeline.analysis import Finding
from signals_app.pipeline.candles import Close
from signals_app.pipeline.ports import trade_book
from signals_app.smc.analysis import (
    view_gaps,
    view_liquidity,
    view_order_blocks,
    view_structure,
)

log = structlog.get_logger(__name__)

#: What is looked for, in the order in which the confluence takes it.
_VIEWS = (view_structure, view_gaps, view_order_blocks, view_liquidity)
#: One task drains a stream for at most so many seconds before others get their turn.
_DRAIN_SECONDS = 2.0
_FORGOTTEN = timedelta(seconds=15)


def wake_pipeline(symbol: str) -> None:
    """Make sure that one `build_candles` task of the symbol is waiting, however many ask."""
    if wakeups.claim_wakeup(symbol):
        build_candles.delay(symbol)


@shared_task(name="signals_app.tasks.build_candles")
def build_candles(symbol: str) -> None:
    """Use a symbol's stream up to its end, in order, and start what follows from it."""
    wakeups.acknowledge_wakeup(symbol)
    started = monotonic()
    try:
        while (built := candles.build_batch(symbol)) is not None:
            if built.closes:
                analyse(symbol, built.closes, received_ms=built.received_ms)
            if built.gave_entry:
                generate_signal.delay(symbol)
            if monotonic() - started > _DRAIN_SECONDS:
                wake_pipeline(symbol)
                break
    except stream.TicksMissing as missing:
        # The connector sends them again as soon as the gateway asks for them.
        log.warning("ticks_missing", symbol=symbol, detail=str(missing))
    stream.trim(symbol, min(candles.needed_ordinals(symbol), default=0))


def analyse(
    symbol: str, closes: "tuple[Close, ...] | list[Close]", *, received_ms: int | None = None
) -> None:
    """Start the four detectors on every window that closed, and the confluence behind them.

    One candle's windows are looked at here and now: handing them to other workers takes longer than
    the detectors do. ``received_ms`` says when the gateway got the tick that closed the first, to
    be measured.
    """
    if len(closes) <= len(TIMEFRAMES):
        analyse_confluence(analysis.detect_all(symbol, closes, _VIEWS), symbol, received_ms)
        return
    detectors = (detect_structure, detect_fvg, detect_order_blocks, detect_liquidity)
    chord([detect.s(symbol, list(closes)) for detect in detectors])(
        analyse_confluence.s(symbol, received_ms)
    )


@shared_task(name="signals_app.tasks.detect_fvg", ignore_result=False)
def detect_fvg(symbol: str, closes: list[Close]) -> list[Finding]:
    """Find the fair value gaps of each window that closed."""
    return analysis.detect(symbol, closes, view_gaps)


@shared_task(name="signals_app.tasks.detect_order_blocks", ignore_result=False)
def detect_order_blocks(symbol: str, closes: list[Close]) -> list[Finding]:
    """Find the order blocks of each window that closed."""
    return analysis.detect(symbol, closes, view_order_blocks)


@shared_task(name="signals_app.tasks.detect_liquidity", ignore_result=False)
def detect_liquidity(symbol: str, closes: list[Close]) -> list[Finding]:
    """Find the liquidity pools and sweeps of each window that closed."""
    return analysis.detect(symbol, closes, view_liquidity)


@shared_task(name="signals_app.tasks.detect_structure", ignore_result=False)
def detect_structure(symbol: str, closes: list[Close]) -> list[Finding]:
    """Find swings, breaks and trend of each window that closed."""
    return analysis.detect(symbol, closes, view_structure)


@shared_task(name="signals_app.tasks.analyse_confluence")
def analyse_confluence(
    findings: list[list[Finding]], symbol: str, received_ms: int | None = None
) -> None:
    """Store what the four detectors found, score the closes that are complete, and go on."""
    analysis.store_findings(symbol, *findings)
    scored = analysis.score_closes(symbol)
    if received_ms is not None:
        metrics.tick_to_analysis.observe(max(0.0, time() - received_ms / 1000))
    if scored:
        generate_signal.delay(symbol)


@shared_task(name="signals_app.tasks.generate_signal")
def generate_signal(symbol: str) -> None:
    """Decide what can be decided, in candle order; a new signal's trade is opened next."""
    signal_id = decisions.decide_closes(symbol)
    if signal_id is not None:
        trade_book().on_signal(signal_id)
    trade_book().on_decisions(symbol)


@shared_task(name="signals_app.tasks.sweep")
def sweep() -> None:
    """Find what nobody finished: unread ticks, analyses that were lost, closes not decided."""
    for symbol in stream.streamed_symbols():
        if candles.has_unread(symbol):
            wake_pipeline(symbol)
        forgotten = analysis.forgotten_closes(symbol, _FORGOTTEN)
        if forgotten:
            log.warning("analysis_repeated", symbol=symbol, closes=len(forgotten))
            analyse(symbol, forgotten)
        analysis.score_closes(symbol)
        generate_signal.delay(symbol)
