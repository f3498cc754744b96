from mt5_bridge.protocol import wire
from mt5_bridge.protocol.reports import MAXIMUM_REPORTS, ReportQueue


def an_error(code, message=""):
    return wire.Error(code=code, message=message, timestamp="2024-01-05T12:00:00.000Z")


GONE = an_error("MT5_DISCONNECTED", "gone")


def test_a_report_is_sent_once_on_a_connection_and_again_on_the_next():
    reports = ReportQueue()
    reports.add(GONE)
    assert reports.take_unsent(0) == [GONE]
    assert reports.take_unsent(0) == []
    reports.connected()
    assert reports.take_unsent(0) == [GONE]


def test_only_the_answer_to_a_later_heartbeat_confirms_a_report():
    reports = ReportQueue()
    reports.add(GONE)
    reports.take_unsent(heartbeats_sent=1)
    reports.confirm(heartbeats_answered=1)
    reports.connected()
    assert reports.take_unsent(heartbeats_sent=0) == [GONE]
    reports.confirm(heartbeats_answered=1)
    reports.connected()
    assert reports.take_unsent(0) == []


def test_of_those_that_wait_the_newest_of_each_code_is_kept():
    reports = ReportQueue()
    again = an_error("MT5_DISCONNECTED", "gone again")
    back = an_error("MT5_RECONNECTED", "back")
    for error in (GONE, back, again):
        reports.add(error)
    assert reports.take_unsent(0) == [back, again]


def test_a_server_that_never_answers_is_not_owed_everything():
    reports = ReportQueue()
    for place in range(MAXIMUM_REPORTS + 1):
        reports.add(an_error("MT5_DISCONNECTED", str(place)))
        reports.take_unsent(0)
    reports.connected()
    assert [error.message for error in reports.take_unsent(0)][:1] == ["1"]
