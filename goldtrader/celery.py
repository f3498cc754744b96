"""The Celery app: queues, and the beat table of what happens by the clock."""

import gc
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, worker_ready

from goldtrader.operations import beat, connections, heartbeats, watchdog

app = Celery("goldtrader")
# The app of every thread, the web server's too; otherwise only of the one that imports this.
app.set_default()
app.config_from_object("goldtrader.settings:CELERY")
app.autodiscover_tasks()
beat.connect()
connections.connect()
heartbeats.connect()
watchdog.connect(app)

# Tasks by their names: they can be imported only when Django's apps are loaded, which needs this
# module. A test holds both tables to tasks that exist.
app.conf.task_routes = {
    "signals_app.tasks.build_candles": {"queue": "ticks"},
    "signals_app.tasks.*": {"queue": "analysis"},
    "trades_app.tasks.open_trade": {"queue": "trades"},
    "trades_app.tasks.*": {"queue": "delivery"},
    "reports_app.tasks.*": {"queue": "delivery"},
}

app.conf.beat_schedule = {
    # A sweep finds what nobody finished: a lost wake-up, analysis, decision, trade or message.
    "sweep-pipeline": {
        "task": "signals_app.tasks.sweep",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget-events": {
        "task": "signals_app.tasks.forget_events",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "sweep-outbox": {"task": "trades_app.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    # Alerts alone are made by the wall clock; no trade is moved by it.
    "watch-feed": {
        "task": "trades_app.tasks.watch_feed",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # By the market's clock, which beat only asks: a day is over when its stream is behind it.
    "report": {"task": "reports_app.tasks.report", "schedule": 5.0, "options": {"expires": 5}},
    "recompute-performance": {
        "task": "reports_app.tasks.recompute_performance",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
}


@worker_ready.connect
@beat_init.connect
def serve_metrics(**_: Any) -> None:
    """Give this process a port for Prometheus, once its workers are forked."""
    from goldtrader.operations import metrics

    metrics.serve()


@celeryd_after_setup.connect
def prepare_forks(instance: Any, **_: Any) -> None:
    """Load the compiled detectors before the workers fork, so that no first analysis waits.

    What is loaded by then lives as long as the process: no fork's garbage collection goes through
    it again, which takes as long as a candle close may.
    """
    if "analysis" in instance.app.amqp.queues.consume_from:
        from signals_app.smc.analysis import warm_up

        warm_up()
    gc.collect()
    gc.freeze()
