"""Twelve callers with wrong passwords beside an operator with the right one."""

import http.client
import re
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.goldtrader.web.serving import Web, web_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_client")]

RIGHT = "correct horse battery"
ONE_HASH = 100 * 2**20
PROCESSES = 2


def database_url() -> str:
    """The test database's own address, for another process."""
    at = connection.settings_dict
    account = f"{quote(at['USER'])}:{quote(at['PASSWORD'] or '')}"
    return f"postgres://{account}@{at['HOST']}:{at['PORT'] or 5432}/{quote(at['NAME'])}"


class Caller:
    """Somebody at the login form, at an address of loopback."""

    def __init__(self, web: Web, address: str) -> None:
        self._line = http.client.HTTPConnection(
            "127.0.0.1", web.port, timeout=60, source_address=(address, 0)
        )
        self._line.request("GET", "/admin/login/")
        page = self._line.getresponse()
        self._cookie = page.headers["Set-Cookie"].partition(";")[0]
        found = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.read())
        assert found is not None
        self._token = found[1].decode()

    def login(self, user: str, password: str) -> int:
        """The status of one try."""
        form = {"username": user, "password": password, "csrfmiddlewaretoken": self._token}
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self._line.request("POST", "/admin/login/", urlencode(form), headers)
        answer = self._line.getresponse()
        answer.read()
        return answer.status


def test_wrong_passwords_cost_no_memory_and_a_right_one_gets_in(tmp_path: Path) -> None:
    User.objects.create_superuser("operator", password=RIGHT)
    with web_server(tmp_path / "web.log", DATABASE_URL=database_url()) as web:
        # What the first page and the first hash of a process load is no part of a flood.
        for number in range(8):
            Caller(web, "127.0.0.4").login(f"first {number}", "wrong")
        began = time.monotonic()
        assert Caller(web, "127.0.0.1").login("operator", RIGHT) == 302
        alone = time.monotonic() - began
        before = web.memory()
        answers: Counter[int] = Counter()
        most = 0
        is_over = threading.Event()

        def attack(number: int) -> None:
            # Half of them by one name from one address, the rest each by its own.
            user, address = ("operator", "127.0.0.2") if number % 2 else (f"u{number}", "127.0.0.3")
            caller = Caller(web, address)
            while not is_over.is_set():
                answers[caller.login(user, "wrong")] += 1

        def watch() -> None:
            nonlocal most
            while not is_over.is_set():
                most = max(most, web.memory())
                time.sleep(0.05)

        threads = [threading.Thread(target=attack, args=(number,)) for number in range(12)]
        threads.append(threading.Thread(target=watch))
        for thread in threads:
            thread.start()
        try:
            time.sleep(1.5)
            began = time.monotonic()
            operator = Caller(web, "127.0.0.1")
            while (status := operator.login("operator", RIGHT)) == 429:
                assert time.monotonic() - began < 40
                time.sleep(0.2)
            took = time.monotonic() - began
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

    assert status == 302
    # Seconds, on a machine that has something else to do as well.
    assert took < 5 + 10 * alone
    assert answers.keys() <= {200, 429}
    assert answers[200] <= 25
    # One hash at a time in each process, and what answering takes.
    assert most - before < PROCESSES * (ONE_HASH + 40 * 2**20)
