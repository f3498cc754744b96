"""One loop from ticks (or candles) to signals and trades, equal to the live pipeline."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial

import numpy as np

from reports_app.backtest.account import BacktestAccount
from reports_app.backtest.columns import CandleLog, resample
from reports_app.backtest.minutes import ambiguous_minutes
from reports_app.backtest.result import BacktestResult
from reports_app.backtest.windows import EngineWindows, PlannedClose
from signals_app.confluence.decision import ask_account, decide, signal_of
from signals_app.confluence.description import UNDESCRIBED, Description, describe
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import Refusal, RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.market.aggregation import ClosedCandle, Forming, aggregate
from signals_app.market.calendar import utc
from signals_app.market.candle import TIMEFRAMES, WINDOW, Candle, Candles, Timeframe
from signals_app.market.conversion import NO_RATES, DailyRates
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s, Tick, Ticks, quantise_all
from trades_app.lifecycle.candle_fills import on_candle
from trades_app.lifecycle.fills import Moved
from trades_app.lifecycle.machine import advance
from trades_app.lifecycle.trade import Moment, Trade

#: Candles between two reports of progress.
_SHOWN_EVERY = 1000


def run(
    instrument: Instrument,
    parameters: Parameters,
    tick_batches: Iterable[Ticks],
    history: Mapping[Timeframe, Candles],
    *,
    decide_from_ms: int | None = None,
    log: CandleLog | None = None,
    of_minutes: bool = False,
    workers: int = 1,
    rates: DailyRates = NO_RATES,
    described: bool = True,
) -> BacktestResult:
    """Run the live pipeline's functions over these ticks.

    The batches follow each other without a hole; how they are cut changes nothing. Of ``history``
    only candles that end at or before the first tick count. Closes before ``decide_from_ms`` only
    fill the windows. ``log`` is given the M15 candles that were built. ``of_minutes`` says that the
    ticks are M1 candles, four of one each, whole in a batch: it only makes the result count those
    whose order of high and low was decisive. ``workers`` are the threads that plan closes ahead
    of the decisions: any number gives the same result. ``rates`` are those of the instrument's
    rate pair, where it has one. Signals have their texts if ``described``.
    """
    engine = _Engine(instrument, parameters, decide_from_ms, workers, rates, described)
    engine.of_minutes = of_minutes
    forming: Forming = {}
    for ticks in tick_batches:
        if not len(ticks):
            continue
        engine.see(int(ticks.time_ms[0]), int(ticks.time_ms[-1]), history)
        forming, closed = aggregate(forming, ticks)
        if log is not None:
            _write(log, closed, ticks)
        unseen = _UnseenTicks(ticks, engine)
        entries = _places(closed, ticks)
        quotes = ticks.bid[entries], ticks.ask[entries]
        for close in engine.planned(_in_columns(closed), *quotes):
            entry = ticks[int(entries[close.row])]
            engine.decide(close, entry, partial(unseen.move_before, entry))
        unseen.move_all()
        engine.ticks += len(ticks)
    return engine.result()


def run_on_candles(
    instrument: Instrument,
    parameters: Parameters,
    candles: Candles,
    spreads: Float64s,
    history: Mapping[Timeframe, Candles],
    *,
    decide_from_ms: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
    workers: int = 1,
    rates: DailyRates = NO_RATES,
    described: bool = True,
) -> BacktestResult:
    """Run the engine where all there is are candles of M15 or shorter.

    ``spreads`` (price) are the candles'. A trade is entered at the next candle's open, and
    `trades_app.lifecycle.candle_fills` says what a candle does to it. ``on_progress`` is called now
    and then with how many candles are done; ``workers``, ``rates`` and ``described`` as in `run`.
    """
    engine = _Engine(instrument, parameters, decide_from_ms, workers, rates, described)
    if not len(candles):
        return engine.result()
    engine.see(int(candles.time_ms[0]), int(candles.time_ms[-1]), history)
    closed = {
        timeframe: _closed_by(resample(candles, timeframe), timeframe, int(candles.time_ms[-1]))
        for timeframe in TIMEFRAMES
    }
    closes_ms = closed[Timeframe.M15].time_ms + Timeframe.M15.milliseconds
    #: For each M15 close the candle that opens at it or next.
    entries = np.searchsorted(candles.time_ms, closes_ms)
    path = _CandlePath(candles, spreads, engine)
    shown = 0
    on_progress(shown)
    closes = engine.planned(closed, *path.quotes(entries))
    for close in closes:
        place = int(entries[close.row])
        if place - shown >= _SHOWN_EVERY:
            shown = place
            on_progress(shown)
        engine.decide(close, path.opened(place), partial(path.move_before, place))
    path.move_before(len(candles))
    on_progress(len(candles))
    return engine.result()


class _Engine:
    """One run: decides close by close on the windows, and keeps the account and the counts."""

    def __init__(
        self,
        instrument: Instrument,
        parameters: Parameters,
        decide_from_ms: int | None,
        workers: int,
        rates: DailyRates,
        described: bool,
    ) -> None:
        self._decide_from_ms, self._rates, self._described = decide_from_ms, rates, described
        self.windows = EngineWindows(instrument, parameters, workers)
        self.account = BacktestAccount(instrument, parameters)
        self.ticks = 0
        self.of_minutes = False
        self._instrument, self._parameters = instrument, parameters
        self._signals: list[TradingSignal] = []
        self._refusals: Counter[RefusalReason] = Counter()
        self._numbered_date: date | None = None
        self._number_of_the_day = 0
        self._ambiguous = 0
        self._first_time_ms: int | None = None
        self._last_time_ms: int | None = None

    def see(self, first_ms: int, last_ms: int, history: Mapping[Timeframe, Candles]) -> None:
        """Note the time that new data spans; the first data says how much of history counts."""
        if self._first_time_ms is None:
            self._first_time_ms = first_ms
            self.windows.fill(history, first_ms)
        self._last_time_ms = last_ms

    def planned(
        self, closed: Mapping[Timeframe, Candles], bid: Float64s, ask: Float64s
    ) -> Iterator[PlannedClose]:
        """Add the candles that closed next; the M15 closes that are still to be decided.

        ``bid`` and ``ask`` are the quotes that they would be entered at.
        """
        return self.windows.add(closed, bid, ask, self._refusals, self._decide_from_ms)

    def decide(self, close: PlannedClose, entry: Tick, catch_up: Callable[[], None]) -> None:
        """Decide one M15 close; ``catch_up`` moves the trades to just before ``entry``."""
        catch_up()
        day = utc(close.close_time_ms).date()
        number = self._number_of_the_day + 1 if day == self._numbered_date else 1
        rate = self._rates.at(close.close_time_ms)
        decided = self._decided(close, entry, number, rate)
        if isinstance(decided, RefusalReason):
            self._refusals[decided] += 1
            return
        self._numbered_date, self._number_of_the_day = day, number
        self._signals.append(decided)
        self.account.open(decided, entry, rate)

    def _decided(
        self, close: PlannedClose, entry: Tick, number: int, rate: Decimal | None
    ) -> TradingSignal | RefusalReason:
        plan = close.plan
        known = plan.levels if plan.refusal is None else Refusal(plan.refusal, "")
        if known is None:
            return self._decided_by_values(close, entry, number, rate)
        order = ask_account(
            self._instrument,
            plan.direction,
            close.close_time_ms,
            entry,
            self.account.exposure_before(entry),
            self._parameters,
            lambda: known,
            rate,
        )
        if isinstance(order, Refusal):
            return order.reason
        return signal_of(
            self._instrument,
            order,
            plan.total,
            close_time_ms=close.close_time_ms,
            entry=entry,
            parameters=self._parameters,
            number_of_the_day=number,
            description=self._description(close) if self._described else UNDESCRIBED,
        )

    def _decided_by_values(
        self, close: PlannedClose, entry: Tick, number: int, rate: Decimal | None
    ) -> TradingSignal | RefusalReason:
        judged = self.windows.judged(close)
        if judged is None:
            return RefusalReason.BELOW_THRESHOLD
        views, best = judged
        exposure = self.account.exposure_before(entry)
        decision = decide(
            self._instrument, views, entry, exposure, self._parameters, number, best, rate
        )
        if decision.signal is not None:
            return decision.signal
        assert decision.refusal is not None
        return decision.refusal.reason

    def _description(self, close: PlannedClose) -> Description:
        judged = self.windows.judged(close)
        assert judged is not None
        views, (best, _) = judged
        return describe(views, best)

    def move_on_ticks(self, ticks: Ticks) -> None:
        """Move the open trades over these ticks."""

        def mover(trade: Trade) -> Moved:
            moved, events = advance(trade, self._instrument, ticks)
            if self.of_minutes and events:
                self._ambiguous += ambiguous_minutes(trade, events, ticks)
            return moved, events

        self.account.move(mover)

    def move_on_candle(self, candle: Candle, opened: Tick, end_ms: int) -> None:
        """Move the open trades over one candle."""
        closed = Moment(end_ms, opened.ordinal + 1)

        def mover(trade: Trade) -> Moved:
            fill = on_candle(trade, self._instrument, candle, opened=opened, closed=closed)
            self._ambiguous += fill.is_ambiguous
            return fill.trade, fill.events

        self.account.move(mover)

    @property
    def _decided_from_ms(self) -> int | None:
        if self._first_time_ms is None or self._decide_from_ms is None:
            return self._first_time_ms
        return max(self._first_time_ms, self._decide_from_ms)

    def result(self) -> BacktestResult:
        return BacktestResult(
            instrument=self._instrument,
            parameters=self._parameters,
            signals=tuple(self._signals),
            trades=self.account.histories(),
            refusals=dict(self._refusals),
            candles=dict(self.windows.built),
            ticks=self.ticks,
            ambiguous_candles=self._ambiguous,
            of_minutes=self.of_minutes,
            first_time_ms=self._first_time_ms,
            last_time_ms=self._last_time_ms,
            decided_from_ms=self._decided_from_ms,
        )


class _UnseenTicks:
    """The ticks of one batch that open trades have not moved over yet: they do when it matters."""

    def __init__(self, ticks: Ticks, engine: _Engine) -> None:
        self._ticks, self._engine = ticks, engine

    def move_before(self, tick: Tick) -> None:
        """Move the trades over the ticks before ``tick``."""
        self._move(tick.ordinal - self._ticks.first_ordinal)

    def move_all(self) -> None:
        """Move the trades over the rest of the batch."""
        self._move(len(self._ticks))

    def _move(self, place: int) -> None:
        part, self._ticks = self._ticks.part(0, place), self._ticks.part(place)
        self._engine.move_on_ticks(part)


class _CandlePath:
    """The candles that open trades have not moved over yet: they do when it matters.

    Each candle is two moments, its first quote and its end, numbered as ticks are.
    """

    def __init__(self, candles: Candles, spreads: Float64s, engine: _Engine) -> None:
        self._candles, self._engine = candles, engine
        self._asks = quantise_all(candles.open + spreads)
        self._spreads = self._asks - candles.open
        self._place = 0

    def opened(self, place: int) -> Tick:
        """The first quote of the candle at ``place``."""
        candles = self._candles
        return Tick(
            2 * place + 1,
            int(candles.time_ms[place]),
            float(candles.open[place]),
            float(self._asks[place]),
        )

    def quotes(self, places: Int64s) -> tuple[Float64s, Float64s]:
        """Bid and ask of the first quotes of the candles at ``places``."""
        return self._candles.open[places], self._asks[places]

    def move_before(self, place: int) -> None:
        """Move the trades over the candles before ``place``."""
        account = self._engine.account
        while self._place < place and account.has_open_trades:
            # Looked at in pieces: what comes long after the trades' ends is of no use.
            stop = min(place, self._place + WINDOW)
            touched = account.first_touched(
                self._candles.part(self._place, stop), self._spreads[self._place : stop]
            )
            if touched is None:
                self._place = stop
                continue
            self._place += touched
            self._engine.move_on_candle(
                self._candles[self._place],
                self.opened(self._place),
                _end_of(self._candles, self._place),
            )
            self._place += 1
        self._place = place


def _write(log: CandleLog, closed: Iterable[ClosedCandle], ticks: Ticks) -> None:
    for candle in closed:
        if candle.timeframe is Timeframe.M15 and candle.closed_by is not None:
            log.append(candle.candle, ticks[candle.closed_by - ticks.first_ordinal].spread)


def _places(closed: Iterable[ClosedCandle], ticks: Ticks) -> Int64s:
    """The places of the ticks that closed the M15 candles."""
    ordinals = [c.closed_by for c in closed if c.timeframe is Timeframe.M15]
    return np.array(ordinals, dtype=np.int64) - ticks.first_ordinal


def _in_columns(closed: Iterable[ClosedCandle]) -> dict[Timeframe, Candles]:
    of_timeframe: dict[Timeframe, list[Candle]] = {timeframe: [] for timeframe in TIMEFRAMES}
    for candle in closed:
        of_timeframe[candle.timeframe].append(candle.candle)
    return {timeframe: Candles.of(candles) for timeframe, candles in of_timeframe.items()}


def _closed_by(candles: Candles, timeframe: Timeframe, time_ms: int) -> Candles:
    """The candles that end at or before ``time_ms``."""
    ended = np.searchsorted(candles.time_ms + timeframe.milliseconds, time_ms, side="right")
    return candles.part(0, int(ended))


def _end_of(candles: Candles, place: int) -> int:
    """A moment by which the candle has ended: the M15 close, or the next open if sooner."""
    end = int(candles.time_ms[place]) + Timeframe.M15.milliseconds
    return min(end, int(candles.time_ms[place + 1])) if place + 1 < len(candles) else end
