"""The routes and the beat table name tasks that exist."""

import subprocess
import sys
from fnmatch import fnmatchcase

from django.apps import apps

from goldtrader.celery import app
from tests.paths import ROOT


def own_tasks() -> set[str]:
    app.autodiscover_tasks([config.name for config in apps.get_app_configs()], force=True)
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_route_is_of_a_task_that_exists() -> None:
    without = [
        route
        for route in app.conf.task_routes
        if not any(fnmatchcase(name, route) for name in own_tasks())
    ]

    assert without == []


def test_every_task_has_a_route() -> None:
    routes = app.conf.task_routes

    assert {
        name for name in own_tasks() if not any(fnmatchcase(name, route) for route in routes)
    } == set()


def test_the_beat_table_starts_tasks_that_exist() -> None:
    started = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert started - own_tasks() == set()


def test_every_thread_finds_the_app_whatever_was_imported_first() -> None:
    script = (
        "from threading import Thread\n"
        "import goldtrader.celery\n"
        "from celery import current_app\n"
        "thread = Thread(target=lambda: print(current_app.main))\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == "goldtrader\n"
