from mt5_bridge.sources.log_limiter import LogLimiter


def test_a_trouble_is_logged_when_it_is_new_and_again_while_it_lasts():
    limiter = LogLimiter(every=60)
    logged = [limiter.is_due("gone", second) for second in (0, 1, 59, 60, 61)]
    assert logged == [True, False, False, True, False]
    assert limiter.is_due("full", 62)
    assert limiter.is_due("gone", 63)


def test_a_trouble_that_was_over_is_news():
    limiter = LogLimiter(every=60)
    assert limiter.is_due("gone", 0)
    limiter.reset()
    assert limiter.is_due("gone", 1)
