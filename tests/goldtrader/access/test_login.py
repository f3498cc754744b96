"""Wrong passwords: who tries too often waits, the operator gets in, and hears of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from goldtrader.access import passwords
from goldtrader.access.login import COOKIE
from goldtrader.access.passwords import Queue
from trades_app.models import Message
from trades_app.notifications import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client", "few", "operator")]

RIGHT = "correct horse battery"


@pytest.fixture
def few(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # As many hashes as before, each in a moment.
    for cost, least in (("memory_cost", 64), ("time_cost", 1), ("parallelism", 1)):
        monkeypatch.setattr(passwords.QueuedArgon2PasswordHasher, cost, least)
    # Hours, so that no window ends within a test.
    settings.LOGIN_LIMIT = "3/hour"
    settings.LOGIN_ADDRESS_LIMIT = "6/hour"
    settings.LOGIN_USER_LIMIT = "8/day"
    settings.LOGIN_ALERT_LIMIT = "4/hour"


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator", password=RIGHT)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The passwords that were hashed or compared."""
    seen: list[str] = []
    verify = passwords.QueuedArgon2PasswordHasher.verify

    def note(self: Any, password: str, encoded: str) -> bool:
        seen.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(passwords.QueuedArgon2PasswordHasher, "verify", note)
    return seen


def login(
    password: str,
    *,
    user: str = "operator",
    address: str = "10.0.0.1",
    client: Client | None = None,
) -> Any:
    form = {"username": user, "password": password, "next": "/admin/"}
    return (client or Client()).post("/admin/login/", form, REMOTE_ADDR=address)


def test_a_try_too_many_is_refused_before_anything_is_hashed(hashed: list[str]) -> None:
    assert [login(f"wrong {i}").status_code for i in range(3)] == [200] * 3
    refused = login(RIGHT)

    assert hashed == ["wrong 0", "wrong 1", "wrong 2"]
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many tries. Wait" in refused.content.decode()


def test_names_in_other_letters_are_the_same_user_to_the_count() -> None:
    for name in ("Operator", "OPERATOR", "operator"):
        login("wrong", user=name)

    assert login("wrong", user="oPERATOR").status_code == 429


def test_a_stranger_elsewhere_does_not_lock_the_operator_out() -> None:
    for _ in range(4):
        login("wrong", address="6.6.6.6")

    assert login(RIGHT, address="10.0.0.1").status_code == 302


def test_an_address_that_tries_many_names_has_to_wait() -> None:
    assert [login("wrong", user=f"u{i}").status_code for i in range(7)][-2:] == [200, 429]


def test_a_user_tried_from_everywhere_is_slowed_down_but_for_known_browsers() -> None:
    known = Client()
    assert login(RIGHT, client=known).status_code == 302
    known.logout()
    known.cookies = {key: value for key, value in known.cookies.items() if key == COOKIE}  # type: ignore[assignment]

    spread = [login("wrong", address=f"6.6.{i}.1").status_code for i in range(9)]

    assert spread == [200] * 8 + [429]
    assert login(RIGHT, address="10.0.0.9").status_code == 429


def test_a_known_browser_gets_in_while_the_user_is_tried_from_everywhere() -> None:
    known = Client()
    login(RIGHT, client=known)
    cookie = known.cookies[COOKIE].value
    for i in range(9):
        login("wrong", address=f"6.6.{i}.1")
    again = Client()
    again.cookies[COOKIE] = cookie

    assert login(RIGHT, client=again, address="6.6.6.6").status_code == 302


def test_a_known_browser_tries_no_more_often_and_for_its_own_user_alone() -> None:
    User.objects.create_superuser("other", password=RIGHT)
    known = Client()
    login(RIGHT, client=known)
    cookie = known.cookies[COOKIE].value

    def tried(user: str) -> list[int]:
        again = Client()
        again.cookies[COOKIE] = cookie
        return [login("wrong", user=user, client=again).status_code for _ in range(4)]

    assert tried("operator") == [200, 200, 200, 429]
    assert tried("other") == [200, 200, 200, 429]


def test_the_cookie_of_a_known_browser_cannot_be_made() -> None:
    forged = Client()
    forged.cookies[COOKIE] = "operator:1234"
    for _ in range(3):
        login("wrong")

    assert login(RIGHT, client=forged).status_code == 429


def test_logging_in_is_no_wrong_try() -> None:
    assert [login(RIGHT).status_code for _ in range(6)] == [302] * 6


def test_a_try_while_too_much_is_hashed_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Queue(at_once=1, waiting=0, longest_wait=0)
    with monkeypatch.context() as during, full.place():
        during.setattr(passwords, "_queue", full)
        busy = [login(RIGHT) for _ in range(5)]

    assert {each.status_code for each in busy} == {429}
    assert {each["Retry-After"] for each in busy} == {"2"}
    assert login(RIGHT).status_code == 302


def test_operators_hear_of_a_burst_once() -> None:
    for i in range(9):
        login("wrong", address=f"6.6.{i}.1", user=f"u{i}")

    (alert,) = Message.objects.filter(kind=Message.Kind.ALERT)
    text = kinds.text_of(alert)
    assert text.startswith("⚠️ 5 wrong passwords within 1 h 00 min, the last one from 6.6.4.1/32.")


def test_the_form_says_what_is_wrong_as_before(client: Client) -> None:
    page = login("wrong", client=client).content.decode()

    assert "Please enter the correct username and password" in page
