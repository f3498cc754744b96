"""What the stack's forks do, once Django is loaded for all of them."""

import sys
import time
from pathlib import Path

from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.processes.process import Role
from goldtrader.store import store


def load() -> None:
    """Load all that the roles share, once, with the environment as it stands.

    No thread may run and no connection be open afterwards: the forks would share it.
    """
    import django

    django.setup()
    import gunicorn.app.wsgiapp  # noqa: F401

    import goldtrader.urls  # noqa: F401
    import signals_app.gateway.server  # noqa: F401
    from goldtrader.celery import app

    app.loader.import_default_modules()
    app.finalize()


def servers(*, web_port: int, workers: int) -> tuple[Role, ...]:
    """Return web, gateway, workers and beat; those that take longest to be ready first."""
    # Workers that look for each other first would cost a second each.
    worker = ("worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    return (
        _celery(
            "worker-pipeline",
            *worker,
            *("--hostname", "pipeline@%h", "--queues", "ticks,analysis,trades"),
            *("--pool", "prefork", "--concurrency", str(workers)),
        ),
        _celery(
            "worker-delivery",
            *worker,
            *("--hostname", "delivery@%h", "--queues", "delivery"),
            *("--pool", "threads", "--concurrency", "2"),
        ),
        Role("gateway", _gateway),
        Role("web", lambda: _web(web_port)),
        _celery(
            "beat",
            *("beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
        ),
    )


def flower(port: int) -> Role:
    """Return the page about tasks."""
    return _celery("flower", "flower", f"--address={LOOPBACK}", f"--port={port}")


def unserved_queues() -> set[str]:
    """Return the queues that no worker serves yet; no connection of it stays open."""
    from goldtrader.operations import health, heartbeats

    served = {queue for queues in heartbeats.workers().values() for queue in queues}
    store().connection_pool.disconnect()
    return health.queue_names() - served


def wait_until_drained() -> None:
    """Return as soon as everything that came in is stored, decided and sent.

    Says what is still done meanwhile.
    """
    from goldtrader.operations.drain import is_drained

    said = ""
    while True:
        is_done, state = is_drained()
        if is_done:
            return
        if state != said:
            sys.stdout.write(f"          {state}\n")
            said = state
        time.sleep(0.25)


def import_history(path: Path, symbol: str, timeframe: str) -> None:
    """Bring a file of closed candles into the database."""
    from django.core.management import call_command

    call_command("import_history", str(path), symbol=symbol, timeframe=timeframe)


def _celery(name: str, *arguments: str) -> Role:
    def play() -> None:
        from goldtrader.celery import app

        # Celery's fixups read the command line of the process.
        sys.argv = ["celery", "--app", "goldtrader", *arguments]
        sys.exit(app.start(list(arguments)))

    return Role(name, play)


def _gateway() -> None:
    from django.core.management import call_command

    call_command("gateway")


def _web(port: int) -> None:
    from gunicorn.app.wsgiapp import WSGIApplication

    sys.argv = [
        *("gunicorn", "goldtrader.wsgi:application", "--preload", "--no-control-socket"),
        *("--bind", f"{LOOPBACK}:{port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        *("--graceful-timeout", "3", "--timeout", "60"),
    ]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()
