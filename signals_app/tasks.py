"""The pipeline's tasks, from ticks to a decision: each takes ids and may run twice.

    build_candles -> detect_fvg | detect_order_blocks | detect_liquidity | detect_structure
                  -> analyse_confluence -> generate_signal -> open_trade (trades_app.tasks)

There is one path, live and catching up: the closes of one batch of ticks travel together, which
live is one candle of M15, with those of H1 and H4 that end with it.
"""

from collections.abc import Sequence
from time import monotonic, time

import structlog
from celery import shared_task
from structlog.contextvars import bound_contextvars

from signals_app import metrics
from signals_app.pipeline import analysis, candles, decisions, stream, wakeups
from signals_app.pipeline.analysis import Part
from signals_app.pipeline.candles import Close, candle_id
from signals_app.pipeline.ports import trade_book
from signals_app.services.connectors import forget_connector_events

log = structlog.get_logger(__name__)

#: One task drains a stream for at most so many seconds before others get their turn.
_DRAIN_SECONDS = 2.0
#: A task that used fewer ticks leaves it to the sweep to trim the stream.
_TRIM_TICKS = 5_000


def wake_pipeline(symbol: str) -> None:
    """Make sure that one `build_candles` task of the symbol is waiting, however many ask."""
    if wakeups.claim_wakeup(symbol):
        build_candles.delay(symbol)


@shared_task(name="signals_app.tasks.build_candles")
def build_candles(symbol: str) -> None:
    """Use a symbol's stream up to its end, in order, and start what follows from it."""
    wakeups.acknowledge_wakeup(symbol)
    started, used = monotonic(), 0
    try:
        while (built := candles.build_batch(symbol)) is not None:
            used += built.ticks
            if built.closes:
                log.info(
                    "candles_closed",
                    candle=candle_id(symbol, built.closes),
                    closes=len(built.closes),
                    ticks=built.ticks,
                    received_ms=built.received_ms,
                )
                analyse(symbol, built.closes, received_ms=built.received_ms)
            if built.gave_entry:
                generate_signal.delay(symbol)
            if built.is_last:
                # What comes from now on brings a wake-up of its own.
                break
            if monotonic() - started > _DRAIN_SECONDS:
                wake_pipeline(symbol)
                break
    except stream.TicksMissing as missing:
        # The connector sends them again as soon as the gateway asks for them.
        log.warning("ticks_missing", symbol=symbol, detail=str(missing))
    if used >= _TRIM_TICKS:
        trim(symbol)


def trim(symbol: str) -> None:
    """Let the symbol's stream forget the ticks that nothing needs any more."""
    stream.trim(symbol, min(candles.needed_ordinals(symbol), default=0))


def analyse(symbol: str, closes: Sequence[Close], *, received_ms: int | None = None) -> None:
    """Start the four detectors on the windows of these closes; the last one starts the confluence.

    ``received_ms`` is the gateway's clock when it got the tick that closed the first of them, to be
    measured; `None` where that is not known.
    """
    for detector in (detect_structure, detect_fvg, detect_order_blocks, detect_liquidity):
        detector.delay(symbol, closes, received_ms)


@shared_task(name="signals_app.tasks.detect_fvg")
def detect_fvg(symbol: str, closes: Sequence[Close], received_ms: int | None = None) -> None:
    """Find the fair value gaps of each window that closed."""
    _detect(Part.GAPS, symbol, closes, received_ms)


@shared_task(name="signals_app.tasks.detect_order_blocks")
def detect_order_blocks(
    symbol: str, closes: Sequence[Close], received_ms: int | None = None
) -> None:
    """Find the order blocks of each window that closed."""
    _detect(Part.ORDER_BLOCKS, symbol, closes, received_ms)


@shared_task(name="signals_app.tasks.detect_liquidity")
def detect_liquidity(symbol: str, closes: Sequence[Close], received_ms: int | None = None) -> None:
    """Find the liquidity pools and sweeps of each window that closed."""
    _detect(Part.LIQUIDITY, symbol, closes, received_ms)


@shared_task(name="signals_app.tasks.detect_structure")
def detect_structure(symbol: str, closes: Sequence[Close], received_ms: int | None = None) -> None:
    """Find swings, breaks and trend of each window that closed."""
    _detect(Part.STRUCTURE, symbol, closes, received_ms)


def _detect(part: Part, symbol: str, closes: Sequence[Close], received_ms: int | None) -> None:
    with bound_contextvars(candle=candle_id(symbol, closes)):
        complete = analysis.detect(symbol, closes, part)
        log.info("detector_done", part=part.value, closes=len(closes), complete=len(complete))
        if complete:
            analyse_confluence.delay(symbol, complete, received_ms)


@shared_task(name="signals_app.tasks.analyse_confluence")
def analyse_confluence(
    symbol: str, closes: Sequence[Close], received_ms: int | None = None
) -> None:
    """Score the closes whose analyses are complete, and go on to decide them."""
    with bound_contextvars(candle=candle_id(symbol, closes)):
        scored = analysis.score_closes(symbol)
        if received_ms is not None:
            metrics.tick_to_analysis.observe(max(0.0, time() - received_ms / 1000))
        log.info("confluence_done", closes=len(closes), scored=scored)
        # Also where none was left to be scored: another task may have scored these closes.
        generate_signal.delay(symbol, closes)


@shared_task(name="signals_app.tasks.generate_signal")
def generate_signal(symbol: str, closes: Sequence[Close] = ()) -> None:
    """Decide what can be decided, in candle order; a new signal's trade is opened next.

    ``closes`` are those that asked for it, named in the logs; what waits is decided whoever asks.
    """
    asked_by = {"candle": candle_id(symbol, closes)} if closes else {}
    with bound_contextvars(instrument=symbol, **asked_by):
        signal_id = decisions.decide_closes(symbol)
        if closes:
            log.info("closes_decided", closes=len(closes), signal_id=signal_id)
        if signal_id is not None:
            trade_book().on_signal(signal_id)
        trade_book().on_decisions(symbol)


@shared_task(name="signals_app.tasks.sweep")
def sweep() -> None:
    """Find what nobody finished: unread ticks, lost analyses, undecided closes, used ticks."""
    for symbol in stream.streamed_symbols():
        if candles.has_unread(symbol):
            wake_pipeline(symbol)
        overdue = analysis.claim_overdue(symbol)
        if overdue:
            log.warning("analysis_repeated", symbol=symbol, closes=len(overdue))
            analyse(symbol, overdue)
        analysis.score_closes(symbol)
        if decisions.any_open(symbol):
            generate_signal.delay(symbol)
        else:
            trade_book().on_decisions(symbol)
        trim(symbol)


@shared_task(name="signals_app.tasks.forget_events")
def forget_events() -> None:
    """Delete the connector events that are too old for anybody to ask for."""
    forgotten = forget_connector_events()
    if forgotten:
        log.info("connector_events_forgotten", events=forgotten)
