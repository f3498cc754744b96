"""Values lie in columns and come back as they were."""

from dataclasses import replace
from decimal import Decimal

import pytest

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import utc
from signals_app.market.candle import Candle, Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from signals_app.models import Instrument, MeasuredProbability, PriceCandle, Signal, Strategy
from signals_app.models.values import ValueColumns
from signals_app.probability.estimate import (
    Bucket,
    EventType,
    Measured,
    MeasuredEventKind,
    Probability,
)
from signals_app.smc.measures import Bias
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.lives import lives
from trades_app.models import Trade, TradeEvent


def test_a_signal_comes_back_before_and_after_it_was_stored(db: None) -> None:
    signal = replace(SIGNAL, entry_price=2045.00001, risk_reward_ratio=2.675, zone_top=2046.1)
    row = Signal.of(signal, Strategy.objects.live())
    row.save(force_insert=True)

    assert row.value() == Signal.objects.get().value() == replace(signal, risk_reward_ratio=2.68)
    assert row.entry_price == Decimal("2045.00001")
    assert row.timestamp == utc(CLOSE_MS)
    assert type(row.direction) is str


def test_trades_of_every_kind_come_back_with_their_events() -> None:
    for _, trade, events in lives():
        row = Trade()
        row.fill(trade)

        assert row.value() == trade
        assert tuple(TradeEvent.of(event, number=1).value() for event in events) == events
        assert (row.exit_reason == "") is (trade.exit_reason is None)


def test_nested_values_are_stored_as_exact_text() -> None:
    _, trade, _ = next(lives())
    row = Trade()
    row.fill(trade)

    assert row.costs["slippage"] == "0.00000"
    assert row.partial_closes[0] == {
        "kind": "TP1_HIT",
        "time_ms": CLOSE_MS + 1000,
        "ordinal": 11,
        "price": "2055.00000",
        "lots": "0.25",
        "profit": "237.50",
        "pips": "95.00",
    }


def test_a_candle_lies_at_its_opening_with_whole_ticks() -> None:
    candle = Candle(CLOSE_MS, 1.1, 1.2, 1.00001, 1.15, 42.0)
    (row,) = PriceCandle.of("EURUSD", Timeframe.M15, [candle], PriceCandle.Source.TICKS)

    assert (row.timestamp, row.volume, row.low) == (utc(CLOSE_MS), 42, Decimal("1.00001"))
    assert row.value() == candle


def test_an_instrument_is_its_row(db: None) -> None:
    for value in DEFAULT_INSTRUMENTS:
        assert Instrument.objects.get(symbol=value.symbol).value() == value


def test_a_probability_is_there_where_all_of_it_is() -> None:
    row = Signal()
    assert row.measured is None
    row.probability, row.probability_low, row.probability_high = 0.5, 0.4, 0.6
    assert row.measured is None
    row.probability_n = 300
    assert row.measured == Measured(0.5, 0.4, 0.6, 300, None)


def test_a_measured_bucket_lies_in_columns_of_its_own() -> None:
    bucket = Bucket(EventType.FVG, MeasuredEventKind.RETEST, Bias.BULLISH, 3)
    measured = Probability(
        bucket,
        0.7,
        None,
        n=640,
        wins=340,
        p0=0.5,
        p=0.53,
        low=0.5,
        high=0.6,
        placebo=None,
        placebo_n=0,
    )
    row = MeasuredProbability.of(measured, instrument="XAUUSD")

    assert (row.event_type, row.event_kind, row.tercile) == ("FVG", "RETEST", 3)
    assert row.value() == measured


def test_a_field_without_a_column_is_refused() -> None:
    class Narrow(ValueColumns[TradingSignal]):
        pass

    columns = Narrow(TradingSignal)
    columns.__set_name__(PriceCandle, "columns")

    with pytest.raises(TypeError, match=r"PriceCandle has no column for TradingSignal\.signal_id"):
        columns.of(SIGNAL)
