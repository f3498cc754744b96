from mt5_bridge.connector.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_are_shortened_by_up_to_half():
    backoff = Backoff(first=1, longest=6)
    for usual in (1, 2, 4, 6, 6):
        assert usual / 2 <= backoff.next_pause() <= usual


def test_after_a_success_the_pauses_begin_anew():
    backoff = Backoff(first=1, longest=60)
    for _ in range(5):
        backoff.next_pause()
    backoff.reset()
    assert backoff.next_pause() <= 1


def test_a_server_that_asks_for_it_gets_a_longer_pause():
    backoff = Backoff(first=0.1, longest=60)
    backoff.at_least(5)
    assert backoff.next_pause() >= 2.5
    backoff.at_least(1)
    assert backoff.next_pause() >= 5
