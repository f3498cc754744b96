"""When a call counts as unanswered, and when its process is ended."""

from mt5_bridge.sources.terminal.call_watchdog import CallLimits, CallWatchdog

LIMITS = CallLimits(answer=25.0, end=60.0)


def a_watchdog(**settings):
    watchdog = CallWatchdog(LIMITS)
    watchdog.begin("copy_ticks_from", 100.0, **settings)
    return watchdog


def test_a_call_has_until_its_answer_limit():
    watchdog = a_watchdog()

    assert watchdog.patience(100.0) == 25.0
    assert watchdog.patience(110.0) == 15.0
    assert not watchdog.must_end(125.0)
    assert watchdog.sentence(125.0) == "the terminal has not answered copy_ticks_from for 25 s"


def test_a_late_call_is_looked_at_shortly_until_its_end():
    watchdog = a_watchdog()
    watchdog.must_end(125.0)

    assert watchdog.patience(130.0) == 1.0
    assert not watchdog.must_end(131.0)
    assert watchdog.patience(159.5) == 0.5
    assert watchdog.must_end(160.0)


def test_a_call_may_have_an_end_of_its_own():
    watchdog = a_watchdog(end=110.0)

    assert not watchdog.must_end(160.0)
    assert watchdog.must_end(210.0)


def test_nothing_waits_once_it_is_answered():
    watchdog = a_watchdog()
    assert watchdog.is_waiting
    watchdog.answered()
    assert not watchdog.is_waiting
    watchdog.begin("terminal_info", 200.0)
    assert watchdog.patience(200.0) == 25.0


def test_the_server_hears_of_a_hung_terminal_within_its_35_seconds():
    assert CallLimits().answer <= 30
