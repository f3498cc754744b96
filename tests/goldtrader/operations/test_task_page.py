"""Flower behind its password and its own names."""

import multiprocessing
import os
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator

import psutil
import pytest
from tornado.ioloop import IOLoop

from goldtrader.celery import app
from goldtrader.operations import task_page
from goldtrader.stack.processes.process import listens
from tests.goldtrader.stack.commands import wait_until
from tests.ports import free_port

PASSWORD = "a-password-of-flower"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a page of its own answers, in a process of its own."""
    chosen = free_port()
    serving = multiprocessing.get_context("fork").Process(
        target=task_page.serve,
        args=(app,),
        kwargs={"address": "127.0.0.1", "port": chosen, "password": PASSWORD},
    )
    serving.start()
    wait_until(lambda: listens(serving.pid, chosen))
    yield chosen
    serving.terminate()
    serving.join(5)
    assert serving.exitcode == 0


def ask(port: int, path: str, *, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Ask the page; give the status and the text of its answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def basic(user: str, password: str) -> str:
    """What a browser sends for this login."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "path", ["/", "/broker", "/tasks", "/api/workers", "/metrics", "/healthcheck", "/static/x"]
)
@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic ####", "Bearer x", basic("flower", "wrong"), basic("admin", PASSWORD)],
)
def test_nothing_is_shown_to_who_does_not_know_the_password(port, path, authorization):
    status, text = ask(port, path, Authorization=authorization)
    assert (status, text) == (401, "Access denied")


def test_who_knows_it_sees_the_page_and_not_the_password_of_redis(port):
    password = os.environ["REDIS_URL"].partition(":")[2].partition("@")[0].rpartition(":")[2]
    for path in ("/", "/broker"):
        status, text = ask(port, path, Authorization=basic("flower", PASSWORD))
        assert status == 200
        assert password not in text
        assert "redis://" in text or path == "/"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5555", "127.0.0.1.evil.example"])
def test_a_browser_that_was_led_here_under_another_name_is_refused(port, host):
    status, _ = ask(port, "/broker", Host=host, Authorization=basic("flower", PASSWORD))
    assert status == 400


def test_a_page_of_another_site_cannot_make_a_browser_run_a_task(port):
    status, _ = ask(
        port,
        "/api/task/async-apply/celery.accumulate",
        method="POST",
        Authorization=basic("flower", PASSWORD),
        Origin="http://evil.example",
    )
    assert status == 403


def test_every_name_but_all_of_them_may_be_allowed():
    assert task_page.allowed_hosts(["*", "tasks.example.com"]) == [
        *("127.0.0.1", "localhost", "[::1]"),
        "tasks.example.com",
    ]


def test_it_listens_on_loopback_alone(port):
    listening = {
        each.laddr.ip
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


def test_it_keeps_the_latest_tasks_alone(monkeypatch):
    monkeypatch.setattr(task_page, "_MOST_TASKS", 20)
    loop = IOLoop(make_current=False)
    monkeypatch.setattr(IOLoop, "instance", lambda: loop)
    state = task_page.page_of(app, password=PASSWORD).events.state
    for number in range(500):
        state.event(
            {
                "type": "task-received",
                "uuid": str(number),
                "hostname": "pipeline@vm",
                "timestamp": number,
                "local_received": number,
                "clock": number,
                "name": "sweep",
                "utcoffset": 0,
                "pid": 1,
            }
        )
    assert [uuid for uuid, _ in state.tasks_by_time()][:3] == ["499", "498", "497"]
    assert len(state.tasks) <= 20
    loop.close()
