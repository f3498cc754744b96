"""How often a peer may say something."""

from signals_app.gateway.limits import RateLimit

NOW = 1_704_456_000_000


def test_ten_seconds_worth_may_come_at_once() -> None:
    limit = RateLimit(5.0, NOW)
    assert [limit.is_exceeded(NOW) for _ in range(51)] == [False] * 50 + [True]


def test_a_steady_stream_at_the_rate_is_never_too_much() -> None:
    limit = RateLimit(5.0, NOW)
    assert not any(limit.is_exceeded(NOW + 200 * n) for n in range(500))


def test_a_clock_that_goes_back_allows_nothing_more() -> None:
    limit = RateLimit(1.0, NOW)
    assert not any(limit.is_exceeded(NOW) for _ in range(10))
    assert limit.is_exceeded(NOW - 60_000)
