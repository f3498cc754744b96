"""The loop: equal to the rules followed step by step, however the ticks come."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_app.backtest.engine import run, run_on_candles
from reports_app.backtest.result import BacktestResult, result_as_json
from signals_app.confluence.decision import decide
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.importers.candle_files import read_candles
from signals_app.importers.tick_files import read_ticks
from signals_app.market.aggregation import aggregate
from signals_app.market.calendar import utc
from signals_app.market.candle import TIMEFRAMES, Candle, Candles, Timeframe
from signals_app.market.conversion import DailyRates
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.market.tick import Ticks
from signals_app.smc.analysis import view
from tests.reports_app.backtest.markets import MONDAY_MS, cut, wandering_ticks
from trades_app.lifecycle.exposure import exposure_before
from trades_app.lifecycle.machine import on_tick, open_trade
from trades_app.lifecycle.trade import EventKind

GOLD = DEFAULT_INSTRUMENTS[0]
#: Eager, so that a few days are enough for many trades.
EAGER = Parameters(
    threshold=55.0, warm_up_candles=10, cool_down_minutes=30.0, zone_memory_hours=2.0
)
QUARTER = 900_000


def step_by_step(ticks: Ticks, parameters: Parameters) -> tuple[list[TradingSignal], list]:
    """The rules as design says them, without any thought of speed."""
    _, closed = aggregate({}, ticks)
    histories: list[list] = []
    signals: list[TradingSignal] = []
    moved = 0
    for decided in closed:
        if decided.timeframe is not Timeframe.M15:
            continue
        end = decided.close_time_ms
        windows = {
            timeframe: Candles.of(
                [c.candle for c in closed if c.timeframe is timeframe and c.close_time_ms <= end]
            )
            for timeframe in TIMEFRAMES
        }
        entry = ticks[decided.closed_by - 1]
        if min(map(len, windows.values())) == 0:
            continue
        views = tuple(
            view(windows[timeframe].window(len(windows[timeframe])), timeframe)
            for timeframe in (Timeframe.H4, Timeframe.H1, Timeframe.M15)
        )
        for tick in ticks.part(moved, entry.ordinal - 1):
            follow(histories, tick)
        moved = entry.ordinal - 1
        exposure = exposure_before(entry.ordinal, entry.time_ms, histories, GOLD, parameters)
        today = [s for s in signals if utc(s.timestamp_ms).date() == utc(end).date()]
        decision = decide(GOLD, views, entry, exposure, parameters, len(today) + 1)
        if decision.signal is not None:
            signals.append(decision.signal)
            histories.append(list(open_trade(decision.signal, GOLD, entry, parameters)))
    for tick in ticks.part(moved):
        follow(histories, tick)
    return signals, [tuple(history) for history in histories]


def follow(histories: list[list], tick) -> None:
    for history in histories:
        history[0], events = on_tick(history[0], GOLD, tick)
        history[1] += events


@cache
def in_one_batch() -> BacktestResult:
    return run(GOLD, EAGER, [wandering_ticks()], {})


@pytest.fixture
def result() -> BacktestResult:
    return in_one_batch()


def test_the_loop_equals_the_rules_followed_step_by_step(result: BacktestResult) -> None:
    signals, trades = step_by_step(wandering_ticks(), EAGER)

    assert len(signals) > 5
    assert result.signals == tuple(signals)
    assert result.trades == tuple(trades)


def test_the_market_of_these_tests_has_all_kinds_of_ends(result: BacktestResult) -> None:
    ends = {trade.exit_reason for trade, _ in result.trades}

    assert {EventKind.SL_HIT, EventKind.TP2_HIT} <= ends


def test_signals_without_texts_are_the_same_trades(result: BacktestResult) -> None:
    bare = run(GOLD, EAGER, [wandering_ticks()], {}, described=False)

    assert (bare.trades, bare.refusals) == (result.trades, result.refusals)
    assert [signal.h4_context for signal in bare.signals] == [""] * len(result.signals)
    assert [one.confidence_score for one in bare.signals] == [
        one.confidence_score for one in result.signals
    ]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 7200), max_size=12).map(sorted))
def test_how_the_ticks_are_cut_changes_nothing(places: list[int]) -> None:
    assert run(GOLD, EAGER, cut(wandering_ticks(), *places), {}) == in_one_batch()


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_result(workers: int) -> None:
    assert run(GOLD, EAGER, [wandering_ticks()], {}, workers=workers) == in_one_batch()
    # So many closes that the threads have several parts each.
    candles = m15_of(wandering_ticks(40))
    spreads = np.full(len(candles), 0.2)
    alone = run_on_candles(GOLD, EAGER, candles, spreads, {})

    assert len(alone.signals) > 50
    assert run_on_candles(GOLD, EAGER, candles, spreads, {}, workers=workers) == alone


def test_later_ticks_change_no_earlier_signal(result: BacktestResult) -> None:
    ticks = wandering_ticks()
    until = 5000
    shorter = run(GOLD, EAGER, [ticks.part(0, until)], {})

    earlier = tuple(s for s in result.signals if s.entry_ordinal <= until)
    assert 0 < len(shorter.signals) < len(result.signals)
    assert shorter.signals == earlier
    for (_, events), (_, all_events) in zip(shorter.trades, result.trades, strict=False):
        assert events == tuple(event for event in all_events if event.ordinal <= until)


def test_every_close_is_counted_as_signal_or_refusal(result: BacktestResult) -> None:
    assert result.candles == {Timeframe.M15: 479, Timeframe.H1: 119, Timeframe.H4: 29}
    assert result.decisions == 479
    assert result.refusals[RefusalReason.WARMING_UP] == 159
    assert result.ticks == 7200


def test_signals_are_numbered_by_the_day(result: BacktestResult) -> None:
    numbers: dict[str, list[int]] = {}
    for signal in result.signals:
        _, day, number = signal.signal_id.split("_")
        numbers.setdefault(day, []).append(int(number))

    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert list(numbers) == sorted(numbers)


def test_history_counts_where_it_ends_before_the_first_tick() -> None:
    ticks = wandering_ticks(1)
    first = int(ticks.time_ms[0])
    ended = {
        timeframe: quiet_candles(timeframe, first - first % timeframe.milliseconds, 10)
        for timeframe in TIMEFRAMES
    }
    # One candle more, which the first tick falls into.
    not_ended = {
        timeframe: quiet_candles(
            timeframe, first - first % timeframe.milliseconds + timeframe.milliseconds, 10
        )
        for timeframe in TIMEFRAMES
    }

    assert RefusalReason.WARMING_UP not in run(GOLD, EAGER, [ticks], ended).refusals
    assert run(GOLD, EAGER, [ticks], not_ended).refusals[RefusalReason.WARMING_UP] > 0


def quiet_candles(timeframe: Timeframe, end_ms: int, count: int) -> Candles:
    times = [end_ms - (count - n) * timeframe.milliseconds for n in range(count)]
    return Candles.of(Candle(t, 2000.0, 2001.0, 1999.0, 2000.0, 10.0) for t in times)


def test_closes_before_the_span_only_fill_the_windows(result: BacktestResult) -> None:
    begin = MONDAY_MS + 3 * 86_400_000
    later = run(GOLD, EAGER, [wandering_ticks()], {}, decide_from_ms=begin)

    assert later.signals
    assert min(signal.timestamp_ms for signal in later.signals) >= begin
    assert later.decisions == 479 - 3 * 96 + 1
    assert RefusalReason.WARMING_UP not in later.refusals


def test_nothing_comes_of_nothing() -> None:
    nothing = run(GOLD, EAGER, [], {})

    assert (nothing.signals, nothing.decisions, nothing.first_time_ms) == ((), 0, None)
    assert result_as_json(nothing)["signals"] == []


def m15_of(ticks: Ticks) -> Candles:
    _, closed = aggregate({}, ticks)
    return Candles.of(c.candle for c in closed if c.timeframe is Timeframe.M15)


def test_with_candles_a_trade_is_entered_at_the_next_open_plus_spread() -> None:
    candles = m15_of(wandering_ticks())
    found = run_on_candles(GOLD, EAGER, candles, np.full(len(candles), 0.2), {})
    opens = dict(zip(candles.time_ms.tolist(), candles.open.tolist(), strict=True))

    assert len(found.signals) > 5
    for signal in found.signals:
        bid = opens[signal.timestamp_ms]
        assert signal.entry_time_ms == signal.timestamp_ms
        assert signal.entry_price == (bid if signal.direction == "SELL" else bid + 0.2)


def test_candles_and_ticks_lead_to_the_same_first_signal(result: BacktestResult) -> None:
    candles = m15_of(wandering_ticks())
    found = run_on_candles(GOLD, EAGER, candles, np.full(len(candles), 0.2), {})

    # Each close is entered at the open of the next candle, which is the tick that closed it.
    assert replace(found.signals[0], entry_ordinal=0, entry_time_ms=0) == replace(
        result.signals[0], entry_ordinal=0, entry_time_ms=0
    )


def test_progress_is_told_up_to_the_last_candle() -> None:
    candles, steps = m15_of(wandering_ticks(1)), []

    run_on_candles(GOLD, EAGER, candles, np.full(len(candles), 0.2), {}, on_progress=steps.append)

    assert steps == [0, len(candles)]


def test_balance_is_what_the_events_earned(result: BacktestResult) -> None:
    for trade, events in result.trades:
        assert trade.profit_loss == sum((e.profit for e in events), Decimal(0))


def test_eight_days_of_gold_give_several_signals(shared) -> None:
    path = shared / "data" / "XAUUSD_ticks_oanda_2014-05-01_to_08.csv.gz"
    history = {
        timeframe: read_candles(
            shared / "data" / "history-2014-05-01" / f"XAUUSD_{timeframe}.csv.gz"
        )
        for timeframe in TIMEFRAMES
    }

    found = run(GOLD, Parameters(), read_ticks(path, symbol="XAUUSD"), history)

    assert found.ticks == 1_171_336
    assert len(found.signals) >= 3


def test_a_cross_is_run_at_each_days_rate_and_without_one_not_at_all() -> None:
    # Gold in euros at par all the time: what it earns in euros it earns in dollars.
    euro = replace(GOLD, quote_currency="EUR")
    m15 = m15_of(wandering_ticks())
    par = Candles.of(replace(c, open=1.0, high=1.0, low=1.0, close=1.0) for c in m15)
    before = replace(par, time_ms=par.time_ms - 7 * 86_400_000)
    rates = DailyRates.of({Timeframe.M15: before.followed_by(par)})
    at_par = run(euro, EAGER, [wandering_ticks()], {}, rates=rates)
    assert at_par.signals == in_one_batch().signals
    assert [t.profit_loss for t, _ in at_par.trades] == [
        t.profit_loss for t, _ in in_one_batch().trades
    ]
    assert {t.rate for t, _ in at_par.trades} == {Decimal("1.00000")}

    without = run(euro, EAGER, [wandering_ticks()], {})
    assert not without.signals
    assert without.refusals[RefusalReason.NO_RATE] >= 5
