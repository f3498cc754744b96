from mt5_bridge.protocol.heartbeats import Heartbeats


def test_the_first_is_due_at_once_and_the_others_after_the_interval():
    heartbeats = Heartbeats(interval=30)
    heartbeats.connected(100)
    assert heartbeats.is_due(100)
    heartbeats.count_sent(100)
    assert not heartbeats.is_due(129.9)
    assert heartbeats.is_due(130)


def test_a_new_connection_counts_from_nothing():
    heartbeats = Heartbeats(interval=30)
    heartbeats.connected(0)
    heartbeats.count_sent(0)
    heartbeats.answered += 1
    heartbeats.connected(5)
    assert (heartbeats.sent, heartbeats.answered) == (0, 0)
    assert heartbeats.is_due(5)


def test_a_server_is_silent_after_two_and_a_half_intervals():
    heartbeats = Heartbeats()
    heartbeats.connected(0)
    heartbeats.set_interval(10)
    heartbeats.server_heard(1)
    assert not heartbeats.is_server_silent(26)
    assert heartbeats.is_server_silent(26.1)


def test_an_interval_of_nothing_does_not_flood_the_server():
    heartbeats = Heartbeats()
    heartbeats.set_interval(0)
    assert heartbeats.interval == 0.1
