"""Few passwords are hashed at once, few wait, and the rest is told to come again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher, make_password

from goldtrader.access.passwords import Queue, QueuedArgon2PasswordHasher, TooManyPasswords, Whose


def test_passwords_are_hashed_by_the_queued_argon2() -> None:
    hashed = make_password("correct horse")

    assert isinstance(get_hasher(), QueuedArgon2PasswordHasher)
    assert identify_hasher(hashed).algorithm == "argon2"
    assert check_password("correct horse", hashed)
    assert not check_password("wrong horse", hashed)


def test_one_works_some_wait_and_the_rest_is_refused() -> None:
    queue = Queue(at_once=1, waiting=2, longest_wait=10)
    at_work, most = [], []
    lock = threading.Lock()

    def work(_: int) -> bool:
        try:
            with queue.place():
                with lock:
                    at_work.append(1)
                    most.append(len(at_work))
                time.sleep(0.2)
                with lock:
                    at_work.pop()
        except TooManyPasswords:
            return False
        return True

    with ThreadPoolExecutor(12) as callers:
        done = list(callers.map(work, range(12)))

    assert max(most) == 1
    assert 1 <= sum(done) <= 4


def test_a_caller_takes_one_place_and_leaves_the_others() -> None:
    queue = Queue(at_once=2, waiting=2, longest_wait=0)
    here, elsewhere = Whose("10.0.0.1", is_known=False), Whose("10.0.0.2", is_known=False)

    with queue.place(here):
        with pytest.raises(TooManyPasswords), queue.place(here):
            pass
        with queue.place(elsewhere):
            pass
    with queue.place(here):
        pass


def test_the_first_to_come_is_the_first_to_go_and_who_is_known_may_always_wait() -> None:
    queue = Queue(at_once=1, waiting=1, longest_wait=10)
    order: list[str] = []

    def come(caller: str, is_known: bool) -> threading.Thread:
        def work() -> None:
            with queue.place(Whose(caller, is_known=is_known)):
                order.append(caller)

        thread = threading.Thread(target=work)
        thread.start()
        while len(queue._waiting) < len(threads) + 1:
            time.sleep(0.001)
        return thread

    threads: list[threading.Thread] = []
    with queue.place():
        threads.append(come("first", is_known=False))
        threads.append(come("known", is_known=True))
        with pytest.raises(TooManyPasswords), queue.place(Whose("third", is_known=False)):
            pass
    for thread in threads:
        thread.join()

    assert order == ["first", "known"]


def test_nobody_waits_for_ever() -> None:
    queue = Queue(at_once=1, waiting=2, longest_wait=0.01)

    with queue.place(), pytest.raises(TooManyPasswords), queue.place():
        pass
    with queue.place():
        pass
