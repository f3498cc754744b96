"""Who is acting in this thread."""

from threading import Thread

from signals_app.actor import SYSTEM, Actor, Door, acting, count_change, current

ALICE = Actor(Door.ADMIN, "alice", address="192.0.2.1")
BOT = Actor(Door.BOT, "@bob")


def test_the_product_acts_where_nobody_says_otherwise() -> None:
    assert current() == SYSTEM


def test_the_innermost_actor_counts_until_its_end() -> None:
    with acting(ALICE) as outer:
        with acting(lambda: BOT) as inner:
            assert current() == BOT
            count_change(2)
        assert current() == ALICE
        count_change()
    assert (outer.changes, inner.changes) == (1, 2)
    assert current() == SYSTEM


def test_who_it_is_is_asked_only_when_it_matters() -> None:
    asked = []

    def name() -> Actor:
        asked.append(1)
        return ALICE

    with acting(name):
        assert asked == []
        assert current() == ALICE


def test_a_thread_does_not_act_for_another() -> None:
    found = []
    with acting(ALICE):
        thread = Thread(target=lambda: found.append(current()))
        thread.start()
        thread.join()
    assert found == [SYSTEM]
