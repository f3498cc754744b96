"""The picture of a signal, from the candles and findings that are stored of its close."""

import structlog
from django.conf import settings

from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.models import PriceCandle
from signals_app.pipeline.analysis import stored_view
from trades_app.lifecycle.trade import Trade
from trades_app.notifications.charts import signal_chart
from trades_app.notifications.charts.signal_chart import (
    BEFORE,
    TIMEFRAME,
    ChartLine,
    ChartZone,
    SignalChart,
)
from trades_app.notifications.content.signals import SignalAnnouncement

log = structlog.get_logger(__name__)
#: The first in which a whole trade, with what led to it, has few enough candles is drawn.
_TIMEFRAMES = (Timeframe.M15, Timeframe.H1, Timeframe.H4)
_MOST = 140
#: Candles after the one of the exit.
_AFTER = 2


def draw(announced: SignalAnnouncement, ended: Trade | None = None) -> bytes | None:
    """The signal's picture as PNG, with the exits of its trade where that has ended.

    `None` where TELEGRAM_PICTURES says so, where no candle of the signal is stored any more, or
    where drawing failed, which the log says: a message does not wait for its picture.
    """
    if settings.TELEGRAM_PICTURES == "none":
        return None
    try:
        chart = chart_of(announced, ended)
        if chart is None:
            return None
        return signal_chart.draw(chart, is_dark=settings.TELEGRAM_PICTURES == "dark")
    except Exception:
        log.exception("picture_failed", signal_id=announced.signal.signal_id)
        return None


def chart_of(announced: SignalAnnouncement, ended: Trade | None = None) -> SignalChart | None:
    """What the picture shows; `None` where no candle of the signal is stored any more."""
    signal = announced.signal
    window = PriceCandle.objects.window(signal.instrument, TIMEFRAME, signal.timestamp_ms)
    if not len(window):
        return None
    zones: tuple[ChartZone, ...] = ()
    lines: tuple[ChartLine, ...] = ()
    view = stored_view(signal.instrument, TIMEFRAME, signal.timestamp_ms)
    if view is not None and view.candles <= len(window):
        times = window.time_ms[len(window) - view.candles :].tolist()
        zones, lines = signal_chart.findings(view, times, signal)
    timeframe, candles = TIMEFRAME, window.part(-BEFORE)
    if ended is not None and ended.exit_time_ms is not None:
        timeframe, candles = _life(signal.instrument, signal.timestamp_ms, ended.exit_time_ms)
    return SignalChart(
        signal=signal,
        instrument=announced.instrument,
        timeframe=timeframe,
        candles=candles,
        zones=zones,
        lines=lines,
        trade=ended,
        is_simulated=announced.is_simulated,
    )


def _life(symbol: str, from_ms: int, to_ms: int) -> tuple[Timeframe, Candles]:
    """The candles from before a signal to after its trade, of the finest timeframe that fits."""
    for timeframe in _TIMEFRAMES:
        step = timeframe.milliseconds
        before = BEFORE if timeframe is TIMEFRAME else BEFORE // 2
        size = before + (to_ms - from_ms) // step + _AFTER
        if size <= _MOST:
            break
    end = timeframe.opening(to_ms) + (1 + _AFTER) * step
    found = PriceCandle.objects.window(symbol, timeframe, end, min(size, WINDOW))
    return timeframe, found
