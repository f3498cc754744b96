"""Rows as JSON: numbers for prices, ISO 8601 UTC for times, nothing that is not described."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from signals_app.api.serializers import (
    CandleSerializer,
    DecisionSerializer,
    SignalSerializer,
    TimeField,
    TokenRequestSerializer,
)
from signals_app.market.candle import Candle, Timeframe, candle_as_json
from signals_app.models import Decision, PriceCandle, Signal
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import stored_signal


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(0, "2024-01-05T14:30:00Z"), (250_000, "2024-01-05T14:30:00.250Z")],
)
def test_times_have_milliseconds_only_where_there_are_any(microsecond: int, text: str) -> None:
    moment = datetime(2024, 1, 5, 14, 30, 0, microsecond, UTC)

    assert TimeField().to_representation(moment) == text


def test_a_candle_is_the_one_that_commands_print() -> None:
    candle = Candle(CLOSE_MS, 2045.1, 2046.0, 2044.93, 2045.5, 812)
    (row,) = PriceCandle.of("XAUUSD", Timeframe.M15, [candle], PriceCandle.Source.TICKS)
    printed = CandleSerializer(row).data

    assert printed == candle_as_json(candle)
    assert tuple(printed) == CandleSerializer.Meta.fields


def test_a_decision_without_strategy_or_entry_says_null() -> None:
    decision = Decision(
        instrument="XAUUSD", close_time_ms=CLOSE_MS, direction="BUY", score=Decimal("81.25")
    )

    printed = DecisionSerializer(decision).data

    assert tuple(printed) == DecisionSerializer.Meta.fields
    assert printed["score"] == 81.25
    unknown = ("strategy", "entry_time", "entry_ordinal", "decided_at")
    assert [printed[name] for name in unknown] == [None] * 4


@pytest.mark.django_db
def test_a_signal_has_every_field_that_the_schema_describes() -> None:
    stored_signal()

    assert tuple(SignalSerializer(Signal.objects.get()).data) == SignalSerializer.Meta.fields


@pytest.mark.parametrize(
    "symbol", ["XAUUSD", "EURUSDm", "XAUUSD.r", "EURUSD#", "XAUUSD+", "S&P500"]
)
def test_a_token_may_be_asked_for_any_symbol_that_an_instrument_can_have(symbol: str) -> None:
    assert TokenRequestSerializer(data={"name": "mt5", "symbols": [symbol]}).is_valid()


@pytest.mark.parametrize("symbol", ["", ".XAU", "XAU USD", "XAU/USD", "X" * 21, "XAU\u0394"])
def test_a_token_is_not_asked_for_what_cannot_be_a_symbol(symbol: str) -> None:
    asked = TokenRequestSerializer(data={"name": "mt5", "symbols": [symbol]})

    assert not asked.is_valid()
    assert list(asked.errors) == ["symbols"]
