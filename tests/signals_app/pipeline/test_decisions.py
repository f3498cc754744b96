"""Closes decided in candle order; what makes no signal says why, and which version said so."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import OperationalError
from prometheus_client import Histogram

from goldtrader.operations.drain import undecided, without_rate
from signals_app import metrics
from signals_app.confluence.refusals import LiveReason
from signals_app.market.calendar import DAY_MS, milliseconds, utc
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import (
    Analysis,
    ConnectorEvent,
    Decision,
    Instrument,
    PriceCandle,
    Signal,
    Strategy,
    StreamPosition,
)
from signals_app.pipeline import decisions
from signals_app.pipeline.decisions import decide_closes
from signals_app.pipeline.waiting import pairs_awaited
from signals_app.services.strategies import change_parameters
from tests.signals_app.confluence.views import CLOSE_MS, Drawing, bullish_market
from tests.signals_app.pipeline.closes import ENTRY, stored_close
from tests.trades_app.examples import SIGNAL
from tests.trades_app.rows import stored_signal, stored_trade

pytestmark = pytest.mark.django_db

Market = tuple[Drawing, Drawing, Drawing]


def outcome_of(decision: Decision) -> tuple[str, str, str]:
    decision.refresh_from_db()
    return decision.outcome, decision.reason, decision.text


def refused(decision: Decision) -> tuple[str, str]:
    """Decide the close; return why it makes no signal."""
    assert decide_closes(decision.instrument) is None
    outcome, reason, text = outcome_of(decision)
    assert outcome == Decision.Outcome.REFUSED
    assert decision.strategy == Strategy.objects.live()
    return reason, text


def observations(histogram: Histogram) -> float:
    (family,) = histogram.collect()
    return next(one.value for one in family.samples if one.name.endswith("_count"))


def test_a_signal_names_no_reason_and_its_version() -> None:
    decision = stored_close()
    measured = observations(metrics.signal_generation)

    assert decide_closes("XAUUSD") == "XAU_20240105_001"
    assert observations(metrics.signal_generation) == measured + 1

    assert decide_closes("XAUUSD") == "XAU_20240105_001"  # not opened yet

    assert outcome_of(decision) == ("OPENING", "", "")
    assert decision.strategy == Signal.objects.get().strategy


def test_a_score_below_the_threshold_is_told_with_its_reason() -> None:
    change_parameters({"threshold": 98})
    decision = stored_close()

    decide_closes("XAUUSD")

    assert outcome_of(decision) == ("BELOW", "BELOW_THRESHOLD", "BUY scores 97.25 of 98")
    assert str(decision.strategy) == "default v2"


@pytest.mark.parametrize("threshold", [80, 98])
def test_too_few_candles_come_before_the_score(threshold: float) -> None:
    change_parameters({"threshold": threshold, "risk_percentage": 0.5})
    market = bullish_market()
    market[0].candles = 20

    assert refused(stored_close(market)) == ("WARMING_UP", "20 candles of H4, 50 are needed")


def test_without_any_candle_of_h4_a_close_is_refused_at_once() -> None:
    decision = Decision.objects.create(instrument="XAUUSD", close_time_ms=CLOSE_MS)

    assert refused(decision) == ("WARMING_UP", "0 candles of H4, 50 are needed")


def test_a_cross_without_a_rate_is_refused_and_its_next_closes_are_decided() -> None:
    Instrument.objects.create(
        symbol="EURGBP",
        pip=0.1,
        contract_size=100,
        digits=2,
        signal_prefix="EGB",
        default_spread=0.3,
        quote_currency="GBP",
    )
    closes = [stored_close(symbol="EURGBP", quarters=quarters) for quarters in range(2)]

    assert decide_closes("EURGBP") is None

    text = (
        "EURGBP is quoted in GBP, and no price of GBPUSD is known of the week before the day began"
    )
    refusal = ("REFUSED", "NO_RATE", text)
    assert [outcome_of(decision) for decision in closes] == [refusal, refusal]
    assert not Signal.objects.exists()


def test_an_instrument_that_is_off_says_so() -> None:
    Instrument.objects.update(is_active=False)

    assert refused(stored_close()) == ("INSTRUMENT_OFF", "XAUUSD is off: no new signals")


def at_the_weeks_end(hour: int) -> Decision:
    """A close of the Friday; the week ends at 22:00 UTC."""
    time_ms = milliseconds(utc(CLOSE_MS).replace(hour=hour, minute=0))
    market = bullish_market()
    for drawing in market:
        drawing.close_time_ms = time_ms
    return stored_close(market, entry=replace(ENTRY, time_ms=time_ms))


def undirected() -> Decision:
    even = tuple(Drawing(each.timeframe, each.atr, position=0.5) for each in bullish_market())
    return stored_close(even)


def without_structure() -> Decision:
    market = bullish_market()
    for drawing in market[1:]:
        drawing.gaps, drawing.order_blocks, drawing.sweeps = [], [], []
    return stored_close(market)


def after_a_loss() -> Decision:
    stored_trade(SIGNAL, 2039.0)
    return stored_close(quarters=1)


def with_an_open_trade() -> Decision:
    stored_trade(replace(SIGNAL, zone_top=2000.0, zone_bottom=1999.0))
    return stored_close(quarters=1)


@pytest.mark.parametrize(
    ("settings", "close", "reason", "text"),
    [
        ({"threshold": 5}, undirected, "CONFLICTING", "BUY and SELL both score 8.00"),
        (
            {},
            lambda: stored_close(entry=replace(ENTRY, time_ms=CLOSE_MS + 30 * 60_000)),
            "ENTRY_TOO_LATE",
            "market closed: the first tick came 30 minutes later",
        ),
        ({}, lambda: at_the_weeks_end(22), "MARKET_CLOSED", "the week is closed"),
        (
            {},
            lambda: at_the_weeks_end(21),
            "NEAR_WEEKLY_CLOSE",
            "the week closes in 60 minutes",
        ),
        (
            {"maximum_spread_pips": 2},
            stored_close,
            "SPREAD_TOO_WIDE",
            "the spread is 3 pips, above 2",
        ),
        ({"maximum_open_trades": 1}, with_an_open_trade, "TOO_MANY_TRADES", "1 trades are open"),
        ({}, after_a_loss, "DAILY_LOSS", "today lost 325.00, the limit is 300.00"),
        (
            {"daily_loss_percentage": 4},
            after_a_loss,
            "COOLING_DOWN",
            "the last loss is 15 minutes old",
        ),
        (
            {"threshold": 60},
            without_structure,
            "NO_STRUCTURE",
            "no structure to put the stop behind",
        ),
        (
            {"minimum_risk_spreads": 26},
            stored_close,
            "RISK_BELOW_SPREADS",
            "the risk of 76 pips is 25.3 spreads",
        ),
        (
            {"maximum_risk_atr": 1.5},
            stored_close,
            "RISK_TOO_LARGE",
            "the risk of 76 pips is above 1.5 H1 average true ranges",
        ),
        (
            {},
            with_an_open_trade,
            "ZONE_TRADED",
            "BUY from 1,999.00000-2,000.00000 was taken already",
        ),
        (
            {"risk_percentage": 0.05},
            stored_close,
            "BELOW_MINIMUM_LOT",
            "0.05 % of 10,000.00 is less than 0.01 lots would risk",
        ),
    ],
)
def test_each_protection_leaves_its_reason_with_the_close(
    settings: dict[str, float], close: Callable[[], Decision], reason: str, text: str
) -> None:
    if settings:
        change_parameters(settings)
    decision = close()
    signals = Signal.objects.count()

    assert refused(decision) == (reason, text)
    assert Signal.objects.count() == signals


def test_every_timeframe_must_be_ripe() -> None:
    market = bullish_market()
    market[1].candles = 49

    assert refused(stored_close(market)) == (
        "WARMING_UP",
        f"49 candles of {Timeframe.H1}, 50 are needed",
    )


def test_a_decision_that_cannot_be_stored_says_why_and_lets_the_next_go_on() -> None:
    decision = stored_close()
    taken = replace(SIGNAL, instrument="EURUSD", signal_id="XAU_20240105_001")
    stored_signal(taken)

    reason, text = refused(decision)

    assert reason == LiveReason.DECISION_NOT_STORED
    assert text == (
        "the close of 2024-01-05T14:30:00Z cannot be stored: duplicate key value violates unique "
        'constraint "signals_pkey" DETAIL: Key (signal_id)=(XAU_20240105_001) already exists.'
    )
    event = ConnectorEvent.objects.get()
    assert (event.connector, event.code, event.instrument) == (
        "pipeline",
        "DECISION_NOT_STORED",
        "XAUUSD",
    )
    assert event.message == text
    assert list(Signal.objects.values_list("instrument", flat=True)) == ["EURUSD"]


def test_a_database_that_is_away_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    decision = stored_close()

    def fail(*_: object) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr(decisions, "note_probability", fail)
    with pytest.raises(OperationalError):
        decide_closes("XAUUSD")

    assert outcome_of(decision)[0] == Decision.Outcome.PENDING


MIDNIGHT = CLOSE_MS - CLOSE_MS % DAY_MS


def in_euros() -> None:
    """Let gold be quoted in euros, so that its money is exchanged at EURUSD."""
    Instrument.objects.filter(symbol="XAUUSD").update(quote_currency="EUR")


def euro_at(price: float, end_ms: int) -> None:
    candle = Candle(end_ms - 900_000, price, price, price, price, 1)
    PriceCandle.objects.bulk_create(
        PriceCandle.of("EURUSD", Timeframe.M15, [candle], PriceCandle.Source.TICKS)
    )


def test_a_cross_is_sized_at_the_days_rate_which_the_decision_keeps() -> None:
    stored_close()
    decide_closes("XAUUSD")
    in_dollars = Signal.objects.get().position_size
    Decision.objects.all().delete()
    Signal.objects.all().delete()
    Analysis.objects.all().delete()

    in_euros()
    euro_at(1.25, MIDNIGHT)
    euro_at(9.0, MIDNIGHT + 900_000)
    decision = stored_close()
    assert decide_closes("XAUUSD") == "XAU_20240105_001"

    decision.refresh_from_db()
    assert decision.rate == Decimal("1.25000")
    assert abs(Signal.objects.get().position_size * Decimal("1.25") - in_dollars) < Decimal("0.02")


def test_a_cross_without_a_rate_is_refused_by_the_pairs_name() -> None:
    in_euros()
    euro_at(1.25, MIDNIGHT - 8 * DAY_MS)

    reason, text = refused(stored_close())

    assert reason == "NO_RATE"
    assert text == (
        "XAUUSD is quoted in EUR, and no price of EURUSD is known of the week before the day began"
    )


def test_a_cross_waits_for_its_pair_to_come_to_the_day() -> None:
    in_euros()
    StreamPosition.objects.create(instrument="XAUUSD", time_ms=CLOSE_MS)
    pair = StreamPosition.objects.create(instrument="EURUSD", time_ms=MIDNIGHT - 1)
    euro_at(1.20, MIDNIGHT - 900_000)
    decision = stored_close()

    assert decide_closes("XAUUSD") is None
    assert outcome_of(decision) == ("PENDING", "", "")
    assert pairs_awaited() == {"XAUUSD": "EURUSD"}
    assert undecided() == 0
    (sentence,) = without_rate()
    assert sentence == (
        "Closes of XAUUSD are left undecided: they wait for ticks of EURUSD up to midnight UTC, "
        "by which money is exchanged."
    )

    euro_at(1.25, MIDNIGHT)
    pair.time_ms = MIDNIGHT + 5
    pair.save()
    assert decide_closes("XAUUSD") == "XAU_20240105_001"
    assert pairs_awaited() == {}
    decision.refresh_from_db()
    assert decision.rate == Decimal("1.25000")
