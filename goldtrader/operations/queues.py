"""Celery's queues: their names, and how many tasks wait in each."""

from celery import current_app

from goldtrader.store import store


def names() -> set[str]:
    routes = {route["queue"] for route in current_app.conf.task_routes.values()}
    return routes | {current_app.conf.task_default_queue}


def length(name: str) -> int:
    """How many tasks wait in one queue; raises `RedisError`."""
    return int(store().llen(name))


def lengths() -> dict[str, int]:
    """How many tasks wait in each queue; raises `RedisError`."""
    return {name: length(name) for name in sorted(names())}
