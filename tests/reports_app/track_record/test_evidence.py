"""A seal covers what came since the one before: each row once, whenever it was stored."""

import datetime as dt
import hashlib
from decimal import Decimal

import pytest

from reports_app.models import RecordSeal
from reports_app.track_record.evidence import Span, claim, covered, seal_link
from reports_app.track_record.sealing import seal_days
from signals_app.market.calendar import utc
from signals_app.models import Decision, PriceCandle
from tests.reports_app.track_record.records import FRIDAY, LOST, MONDAY, stream_at
from tests.trades_app.examples import CLOSE_MS
from tests.trades_app.rows import DAY_MS, numbered, stored_trade
from trades_app.models import Message

pytestmark = pytest.mark.django_db

QUARTER_MS = 900_000


def candle(end_ms: int, source: str = "TICKS", timeframe: str = "M15") -> None:
    length = {"M15": QUARTER_MS, "H4": 16 * QUARTER_MS}[timeframe]
    prices = {name: Decimal("2045.5") for name in ("open", "high", "low", "close")}
    PriceCandle.objects.create(
        instrument="XAUUSD",
        timeframe=timeframe,
        timestamp=utc(end_ms - length),
        volume=7,
        source=source,
        **prices,
    )


def decision(close_ms: int, outcome: str = "BELOW") -> Decision:
    return Decision.objects.create(
        instrument="XAUUSD", close_time_ms=close_ms, outcome=outcome, entry_ordinal=1
    )


def message(key: str, addressee: str = "FOLLOWERS") -> Message:
    return Message.objects.create(
        key=key, kind="TRADE", addressee=addressee, instrument="XAUUSD", data={"pips": 1.5}
    )


def numbers(span: Span) -> dict[str, int]:
    return {name: part["number"] for name, part in covered(span).items()}


def test_each_row_is_covered_once() -> None:
    friday = Span("XAUUSD", 1, None, FRIDAY)
    monday = Span("XAUUSD", 2, FRIDAY, MONDAY)
    candle(CLOSE_MS)
    candle(CLOSE_MS, "HISTORY", "H4")
    decision(CLOSE_MS)
    late = decision(CLOSE_MS + QUARTER_MS, "PENDING")
    message("one")
    message("for operators", "OPERATORS")

    claim(friday)
    assert numbers(friday) == {"candles": 1, "decisions": 1, "probabilities": 0, "messages": 1}

    # On Monday the close of Friday gets its tick, and what was written meanwhile is there.
    Decision.objects.filter(pk=late.pk).update(outcome="REFUSED")
    candle(CLOSE_MS + 2 * DAY_MS)
    candle(CLOSE_MS + 4 * DAY_MS)
    message("two")
    claim(monday)

    assert numbers(monday) == {"candles": 1, "decisions": 1, "probabilities": 0, "messages": 1}
    assert numbers(friday) == {"candles": 1, "decisions": 1, "probabilities": 0, "messages": 1}


def test_a_candle_belongs_to_the_day_on_which_it_ends() -> None:
    midnight_ms = CLOSE_MS - CLOSE_MS % DAY_MS + DAY_MS
    candle(midnight_ms)
    candle(midnight_ms, timeframe="H4")
    candle(midnight_ms + QUARTER_MS)

    assert numbers(Span("XAUUSD", 1, None, FRIDAY))["candles"] == 2
    assert numbers(Span("XAUUSD", 2, FRIDAY, FRIDAY + dt.timedelta(days=1)))["candles"] == 1


def test_sealed_days_are_counted_and_their_seals_chained() -> None:
    stored_trade(numbered(1), *LOST)
    stored_trade(numbered(1, days=3), *LOST)
    stream_at(CLOSE_MS + 4 * DAY_MS)
    days = seal_days("XAUUSD")

    first, second = RecordSeal.objects.order_by("number")
    assert [(seal.number, seal.date, seal.day_digest) for seal in (first, second)] == [
        (1, FRIDAY, days[0].digest),
        (2, MONDAY, days[1].digest),
    ]
    assert (first.previous, second.previous) == ("", first.link)
    span = Span("XAUUSD", 2, FRIDAY, MONDAY)
    assert second.link == seal_link(first.link, span, days[1].digest, second.covered)


def test_a_seal_covers_the_rate_of_a_decision_and_stays_where_there_is_none() -> None:
    friday = Span("XAUUSD", 1, None, FRIDAY)
    decision(CLOSE_MS)
    claim(friday)
    # As seals of versions were that knew no rate.
    row = f'[{CLOSE_MS},null,null,1,null,null,null,"BELOW","",null,"","",null]\n'
    without = hashlib.sha256(row.encode()).hexdigest()
    assert covered(friday)["decisions"]["digest"] == without

    Decision.objects.update(rate=Decimal("1.27"))
    assert covered(friday)["decisions"]["digest"] != without
