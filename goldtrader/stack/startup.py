"""Starts a stack in stages: stores, database schema, services, connector."""

import os
import shutil
from dataclasses import replace

from goldtrader.environment import gateway_names
from goldtrader.stack import instruments, keys, ports, settings_file
from goldtrader.stack.checks import StackPlan, gateway_host
from goldtrader.stack.feed import Feed
from goldtrader.stack.prepare import prepare_if_needed
from goldtrader.stack.processes import children, services
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import RunningStack, Screen
from goldtrader.stack.servers import certificate
from goldtrader.stack.serving import ServiceStart
from goldtrader.stack.stores import start_stores

_FLOWER_PORT = 5555


def start(plan: StackPlan, supervisor: Supervisor, screen: Screen) -> RunningStack:
    """Start everything and return what runs; the data directory must be held."""
    data_dir = plan.data_dir
    # The counts of processes that are gone; what must outlast them is in the database.
    shutil.rmtree(data_dir.metrics, ignore_errors=True)
    secrets = keys.load_or_generate(data_dir)
    certificate.ensure(data_dir, gateway_names(os.environ))
    listening = children.Ports(
        web=plan.options.port,
        gateway=plan.options.gateway_port,
        flower=ports.choose_free(_FLOWER_PORT),
        gateway_host=gateway_host(),
    )
    stores = start_stores(data_dir, secrets, supervisor, screen)
    environment = children.environment(
        data_dir,
        secrets,
        listening,
        database_url=stores.database_url,
        redis_url=stores.redis_url,
    )
    settings_file.write_running(data_dir, secrets, stores, listening)
    # From here on Django's settings find in the environment what the stack chose.
    os.environ.update(environment)
    services.load()
    prepare_if_needed(data_dir, stores.database_url, plan.history, supervisor, screen)
    starting = ServiceStart(supervisor, screen, listening, flower_password=secrets.flower_password)
    starting.run(workers=plan.options.workers)
    feed = None if plan.feed is None else _known_feed(plan.feed, stores.database_url)
    if feed is not None:
        missing = instruments.missing_rate(stores.database_url, feed.symbol)
        if missing:
            screen.note(missing)
        _start_connector(
            plan, feed, starting.ports, supervisor, certificate=environment["GATEWAY_TLS_CERT"]
        )
    return RunningStack(
        data_dir=data_dir,
        ports=starting.ports,
        feed=feed,
        processes=tuple(supervisor.running()),
        database=stores.database_place,
        redis=stores.redis_place,
        password=keys.load_or_generate(data_dir).admin_password,
        ready_after_seconds=screen.seconds,
    )


def _known_feed(feed: Feed, database_url: str) -> Feed:
    """The feed of an instrument in the admin; raises `StackError` where its symbol is none."""
    found = instruments.admit(database_url, feed.symbol)
    if not feed.needs_form:
        return replace(feed, symbol=found.symbol)
    return replace(
        feed,
        symbol=found.symbol,
        digits=found.digits,
        default_spread=found.default_spread,
    )


def _start_connector(
    plan: StackPlan,
    feed: Feed,
    ports: children.Ports,
    supervisor: Supervisor,
    *,
    certificate: str,
) -> None:
    plan.data_dir.connector.mkdir(exist_ok=True)
    program = children.connector(
        ports,
        plan.data_dir,
        feed,
        certificate=certificate,
        # Made when the database was prepared.
        api_key=keys.load_or_generate(plan.data_dir).connector_api_key,
        exit_when_done=plan.options.exit_when_done,
    )
    supervisor.start(program, final_exits=children.CONNECTOR_FINAL_EXITS)
