"""Web, gateway, workers, beat and Flower, each a fork once Django is loaded for all of them."""

import signal
import sys

from goldtrader.stack.ports import LOOPBACK
from goldtrader.stack.processes.fork import Fork

#: What shows and sends stands back behind gateway and pipeline: a candle close must not wait for a
#: page, a report or a message.
_FOLLOWER = 5


def load() -> None:
    """Load all that the services share, once, with the environment as it is now.

    No thread may run and no connection be open afterwards: the forks would share it.
    """
    import django

    django.setup()
    import gunicorn.app.wsgiapp  # noqa: F401
    import telegram  # noqa: F401

    import goldtrader.operations.task_page
    import goldtrader.urls
    import goldtrader.web.worker  # noqa: F401
    import signals_app.gateway.server  # noqa: F401
    from goldtrader.celery import app

    app.loader.import_default_modules()
    app.finalize()


def essential(*, web_port: int, workers: int) -> tuple[Fork, ...]:
    """Web, gateway, workers and beat, the slowest to be ready first."""
    # Workers that look for each other first would cost a second each.
    worker = ("worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    return (
        _celery(
            "worker-pipeline",
            *worker,
            *("--hostname", "pipeline@%h", "--queues", "ticks,analysis,trades"),
            *("--pool", "prefork", "--concurrency", str(workers)),
            # A close starts four tasks at once: the next is there as soon as a fork is free.
            *("--prefetch-multiplier", "4"),
        ),
        _celery(
            "worker-delivery",
            *worker,
            *("--hostname", "delivery@%h", "--queues", "delivery"),
            # Six of them may wait for Telegram, see trades_app/tasks.py.
            *("--pool", "threads", "--concurrency", "8"),
            niceness=_FOLLOWER,
        ),
        Fork("gateway", _gateway),
        Fork("web", lambda: _web(web_port), niceness=_FOLLOWER),
        _celery(
            "beat",
            *("beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--scheduler", "goldtrader.operations.timetable:Scheduler"),
            niceness=_FOLLOWER,
        ),
    )


def flower(port: int, *, password: str) -> Fork:
    """Flower, the page about tasks."""

    def run() -> None:
        from goldtrader.celery import app
        from goldtrader.operations import task_page

        task_page.serve(app, address=LOOPBACK, port=port, password=password)

    # It has nothing to finish, and would wait for a broker that ends with the stack.
    return Fork("flower", run, death_signal=signal.SIGKILL, niceness=2 * _FOLLOWER)


def _celery(name: str, *arguments: str, niceness: int = 0) -> Fork:
    def run() -> None:
        from goldtrader.celery import app

        # Celery's fixups read the command line of the process.
        sys.argv = ["celery", "--app", "goldtrader", *arguments]
        sys.exit(app.start(list(arguments)))

    return Fork(name, run, niceness=niceness)


def _gateway() -> None:
    from django.core.management import call_command

    call_command("gateway")


def _web(port: int) -> None:
    from gunicorn.app.wsgiapp import WSGIApplication

    sys.argv = [
        *("gunicorn", "--config", "python:goldtrader.web.configuration"),
        *("--bind", f"{LOOPBACK}:{port}"),
    ]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()
