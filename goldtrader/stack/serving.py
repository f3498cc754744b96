"""Starts gateway, workers, web and Flower, and waits until all are ready."""

import dataclasses
import time

from goldtrader.stack import ports as free_ports
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs, process, services
from goldtrader.stack.processes.activity import Patience
from goldtrader.stack.processes.children import Ports
from goldtrader.stack.processes.supervisor import ChildExit, Supervisor
from goldtrader.stack.screen import Screen
from goldtrader.stack.servers import readiness

#: A start is given up when none of what it waits for did anything for so long. The first start
#: compiles the detectors, which takes as long as it takes.
_STILL_SECONDS = 120.0
_FLOWER = "flower"


class ServiceStart:
    """One start of the services; `ports` are those they listen on in the end."""

    def __init__(
        self, supervisor: Supervisor, screen: Screen, ports: Ports, *, flower_password: str
    ) -> None:
        self._supervisor = supervisor
        self._screen = screen
        self._flower_password = flower_password
        self.ports = ports

    def run(self, *, workers: int) -> None:
        """Start them and return once all are ready; one that ends before is a `StackError`."""
        _forget_earlier_heartbeats()
        for service in services.essential(web_port=self.ports.web, workers=workers):
            self._supervisor.start(service)
        self._start_flower()
        patience = Patience(_STILL_SECONDS)
        shown = ""
        while (waits_for := self._waits_for()) is not None:
            if waits_for != shown:
                self._screen.step(f"Waiting for {waits_for}")
                shown = waits_for
            for ended in self._supervisor.check():
                self._handle(ended)
            if patience.is_over(pid for _, pid in self._supervisor.running()):
                directory = self._supervisor.log_of(_FLOWER).parent
                raise StackError(
                    f"The stack waits for {waits_for}, and nothing has happened for "
                    f"{_STILL_SECONDS:.0f} s; the logs are in {directory}."
                )
            time.sleep(0.1)
        self._screen.step("Web, gateway and workers are up")

    def _start_flower(self) -> None:
        self._supervisor.start(services.flower(self.ports.flower, password=self._flower_password))

    def _waits_for(self) -> str | None:
        """What is not ready yet; None once all is.

        Flower's port may be another stack's by now, which chose it at the same moment: ours counts
        once its own process listens there.
        """
        waits_for = _not_ready(self.ports)
        if waits_for is None and not process.listens(
            self._supervisor.pid_of(_FLOWER), self.ports.flower
        ):
            return "Flower"
        return waits_for

    def _handle(self, ended: ChildExit) -> None:
        if ended.name == _FLOWER:
            # Another program took its port meanwhile; nothing else waits for this page.
            self.ports = dataclasses.replace(self.ports, flower=free_ports.choose_free())
            self._start_flower()
            return
        log = self._supervisor.log_of(ended.name)
        raise StackError(
            f"{ended.name} ended with exit code {ended.exit_code} before it was ready; "
            f"the log {log} ends:\n{logs.tail(log)}"
        )


def _not_ready(ports: Ports) -> str | None:
    """What is not ready yet; None once all is.

    The web server is asked last: each of its processes remembers what it saw for a while.
    """
    if not readiness.listens(ports.gateway):
        return "the gateway"
    unserved = _unserved_queues()
    if unserved:
        return f"workers for {', '.join(sorted(unserved))}"
    return readiness.missing(ports.web)


def _forget_earlier_heartbeats() -> None:
    """Let no process of an earlier stack count as alive."""
    from goldtrader.operations import heartbeats
    from goldtrader.store import store

    heartbeats.forget_all()
    # The forks that follow must not share a connection.
    store().connection_pool.disconnect()


def _unserved_queues() -> set[str]:
    """The queues that no worker serves yet."""
    from goldtrader.operations import heartbeats, queues
    from goldtrader.store import store

    served = heartbeats.served_queues()
    # The forks that may follow must not share a connection.
    store().connection_pool.disconnect()
    return queues.names() - served
