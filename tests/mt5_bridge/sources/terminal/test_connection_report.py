from mt5_bridge.protocol.wire import ErrorCode
from mt5_bridge.sources.terminal.connection_report import ConnectionReport


def codes(report):
    return [notice.code for notice in report.take_notices()]


def test_a_loss_and_its_end_are_reported_once_each():
    report = ConnectionReport()
    assert report.is_new
    assert report.trouble
    for _ in range(2):
        report.came_back("it works")
    assert (codes(report), report.losses, report.trouble) == ([ErrorCode.MT5_RECONNECTED], 0, "")
    for _ in range(2):
        report.lost("the terminal is gone")
    assert codes(report) == [ErrorCode.MT5_DISCONNECTED]
    assert (report.losses, report.trouble, report.is_lost) == (1, "the terminal is gone", True)
    report.came_back("it works")
    assert codes(report) == [ErrorCode.MT5_RECONNECTED]
    assert (report.is_working, report.is_lost, report.losses) == (True, False, 1)


def test_a_symbol_that_is_missing_is_no_loss_of_the_terminal():
    report = ConnectionReport()
    report.came_back("it works")
    codes(report)
    for _ in range(2):
        report.symbol_missing("there is no XAUUSD")
    assert codes(report) == [ErrorCode.SYMBOL_UNAVAILABLE]
    assert (report.is_working, report.is_lost, report.losses) == (False, False, 1)
    report.came_back("it works")
    assert codes(report) == [ErrorCode.MT5_RECONNECTED]
    assert report.is_working
