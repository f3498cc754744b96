"""Trading days, sessions and the weekly close, through daylight saving."""

from datetime import UTC, date, datetime

import pytest

from signals_app.market.calendar import (
    TradingSession,
    is_market_open,
    iso,
    milliseconds,
    session_at,
    trading_day,
    utc,
    weekly_close,
)


def at(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2024-01-05T07:59", TradingSession.ASIAN),
        ("2024-01-05T08:00", TradingSession.LONDON),
        ("2024-01-05T13:00", TradingSession.NY_OVERLAP),
        ("2024-01-05T16:59", TradingSession.NY_OVERLAP),
        ("2024-01-05T17:00", TradingSession.NEW_YORK),
        ("2024-01-05T22:00", TradingSession.ASIAN),
        # New York is on summer time already, London is not: the overlap begins at 12:00 UTC.
        ("2024-03-15T12:00", TradingSession.NY_OVERLAP),
        ("2024-07-05T07:00", TradingSession.LONDON),
        ("2024-07-05T21:00", TradingSession.ASIAN),
    ],
)
def test_sessions_follow_local_clocks(moment: str, session: TradingSession) -> None:
    assert session_at(at(moment)) is session


def test_the_trading_day_turns_at_five_in_new_york() -> None:
    assert trading_day(at("2024-01-05T21:59")).date == date(2024, 1, 5)
    assert trading_day(at("2024-01-05T22:00")).date == date(2024, 1, 6)
    assert trading_day(at("2024-07-05T21:00")).date == date(2024, 7, 6)


def test_sunday_evening_belongs_to_mondays_week() -> None:
    assert trading_day(at("2024-01-07T23:00")).week == (2024, 2)


def test_the_market_is_closed_from_friday_to_sunday_five_in_new_york() -> None:
    assert is_market_open(at("2024-01-05T21:59"))
    assert not is_market_open(at("2024-01-05T22:00"))
    assert not is_market_open(at("2024-01-07T21:59"))
    assert is_market_open(at("2024-01-07T22:00"))


def test_the_weekly_close_is_the_next_friday_one() -> None:
    assert utc(weekly_close(at("2024-01-03T12:00"))) == datetime(2024, 1, 5, 22, tzinfo=UTC)
    assert utc(weekly_close(at("2024-01-05T22:00"))) == datetime(2024, 1, 12, 22, tzinfo=UTC)
    assert utc(weekly_close(at("2024-03-08T23:00"))) == datetime(2024, 3, 15, 21, tzinfo=UTC)


def test_times_are_written_with_milliseconds_only_where_there_are_some() -> None:
    assert iso(1_704_465_000_000) == "2024-01-05T14:30:00Z"
    assert iso(1_704_465_000_123) == "2024-01-05T14:30:00.123Z"
