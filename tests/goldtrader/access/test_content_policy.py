"""What browsers may load and run, tried with headers and in Chromium."""

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from tests.browsers import chromium

PAGES = (
    "/admin/",
    "/admin/signals_app/signal/",
    "/admin/signals_app/instrument/",
    "/admin/signals_app/instrument/add/",
    "/admin/trades_app/trade/",
    "/admin/django_celery_beat/periodictask/add/",
    "/api/v1/docs",
)


@pytest.mark.django_db
def test_pages_data_and_the_admin_have_a_policy_each() -> None:
    client = Client()
    health = client.get("/api/v1/health")["Content-Security-Policy"]
    docs = client.get("/api/v1/docs")["Content-Security-Policy"]
    login = client.get("/admin/login/")["Content-Security-Policy"]

    assert health == "default-src 'none'; frame-ancestors 'none'"
    assert "'nonce-" in docs
    assert "'unsafe-eval'" not in docs
    assert "'unsafe-eval'" in login
    for policy in (docs, login):
        assert "script-src 'self'" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
        assert "object-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.fixture
def browser(monkeypatch) -> Iterator[Browser]:
    # Playwright drives its browser by an event loop in this thread, which Django takes for ours.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    found = chromium()
    with sync_playwright() as playwright:
        # Root, as which containers of CI run, has no sandbox.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.django_db(transaction=True)
def test_no_page_breaks_its_own_policy(live_server, browser) -> None:
    get_user_model().objects.create_superuser("boss", password="correct horse")
    page = browser.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: (
            complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{live_server.url}/admin/login/")
    page.fill("[name=username]", "boss")
    page.fill("[name=password]", "correct horse")
    page.click("[type=submit]")
    for path in PAGES:
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")

    assert not complaints, "\n".join(complaints)
