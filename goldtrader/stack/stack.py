"""The story of one stack: check everything, start it in stages, keep it up, end all of it."""

import contextlib
import dataclasses
import functools
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from goldtrader.stack import keys, ports, schema
from goldtrader.stack.data_dir import DataDir, write_private
from goldtrader.stack.errors import StackError
from goldtrader.stack.feed import Feed, choose_feed
from goldtrader.stack.history import HistoryFile, check_history, find_history
from goldtrader.stack.prepare import prepare
from goldtrader.stack.processes import children, process, roles, supervisor
from goldtrader.stack.screen import Screen, Standing
from goldtrader.stack.servers import certificate, postgres, readiness, valkey

_READY_SECONDS = 120.0
_GRACE_SECONDS = 6.0
_STORES = ("postgres", "valkey")
_FLOWER_PORT = 5555
_CONNECTOR_IS_DONE = 0
_CONNECTOR_REFUSES = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """What `manage.py stack` was asked for, not checked yet."""

    data_dir: Path
    feed: str = "simulated"
    speed: str | None = None
    history: Path | None = None
    symbol: str | None = None
    source_timezone: str = "utc"
    port: int = 8000
    gateway_port: int = 8765
    workers: int = 2
    exit_when_done: bool = False


def run(wish: Wish, screen: Screen) -> int:
    """Run the stack until it is told to end, and return the exit code; 2 says what was wrong."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        feed, history = _checked(wish)
        data_dir = DataDir(wish.data_dir.expanduser().resolve())
        if not os.access(data_dir.path, os.F_OK):
            # Before anything is written.
            _require_free_ports(wish)
        data_dir.prepare()
        with data_dir.held(by="manage.py stack"):
            _require_free_ports(wish)
            return _Stack(wish, data_dir, feed, history, screen).run()
    except StackError as error:
        screen.refuse(str(error))
        return 2
    except PermissionError as error:
        screen.refuse(f"This account may not use {error.filename} ({error.strerror}).")
        return 2
    except KeyboardInterrupt:
        return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _checked(wish: Wish) -> tuple[Feed | None, tuple[HistoryFile, ...]]:
    if wish.workers < 1:
        raise StackError(f"--workers {wish.workers} is too few: the pipeline needs one.")
    history = () if wish.history is None else find_history(wish.history)
    check_history(history)
    feed = choose_feed(
        wish.feed, symbol=wish.symbol, speed=wish.speed, source_timezone=wish.source_timezone
    )
    if wish.exit_when_done and (feed is None or feed.path is None):
        raise StackError("--exit-when-done needs a feed that ends: give a file to --feed.")
    return feed, history


def _require_free_ports(wish: Wish) -> None:
    if wish.port == wish.gateway_port:
        raise StackError(f"--port and --gateway-port are both {wish.port}; they must differ.")
    ports.require_free(wish.port, option="--port")
    ports.require_free(wish.gateway_port, option="--gateway-port", host=_gateway_host())


def _gateway_host() -> str:
    return os.environ.get("GATEWAY_HOST", ports.LOOPBACK)


class _Stack:
    """One run in one data directory, which is held by nobody else."""

    def __init__(
        self,
        wish: Wish,
        data_dir: DataDir,
        feed: Feed | None,
        history: tuple[HistoryFile, ...],
        screen: Screen,
    ) -> None:
        self._wish = wish
        self._data_dir = data_dir
        self._feed = feed
        self._history = history
        self._screen = screen
        self._ports = children.Ports(
            web=wish.port,
            gateway=wish.gateway_port,
            flower=ports.choose_free(_FLOWER_PORT),
            gateway_host=_gateway_host(),
        )
        self._database_home = data_dir.path
        self._named_database_url = os.environ.get("DATABASE_URL", "")
        self._named_redis_url = os.environ.get("REDIS_URL", "")
        self._supervisor = supervisor.Supervisor(logs=data_dir.logs, register=data_dir.children)

    def run(self) -> int:
        """Start, keep up, and end everything; returns the exit code."""
        left = supervisor.end_left_overs(self._data_dir.children)
        if left:
            self._screen.step(f"Ended what a killed stack left behind: {', '.join(left)}")
        try:
            # The counts of processes that are gone; what must outlast them is in the database.
            shutil.rmtree(self._data_dir.metrics, ignore_errors=True)
            told = self._start_stores()
            # From here on Django's settings find in the environment what the stack chose.
            os.environ.update(told)
            roles.load()
            self._prepare(told)
            self._start_servers()
            self._start_connector(told)
            self._show()
            return self._keep_up()
        except KeyboardInterrupt:
            return 0
        finally:
            self._end()

    def _start_stores(self) -> dict[str, str]:
        """Start database and Redis, or take those that the user named; return what children get."""
        secrets = keys.load_or_generate(self._data_dir)
        certificate.ensure(self._data_dir)
        redis_url = self._named_redis_url or self._start_valkey(secrets)
        database_url = self._named_database_url or self._start_postgres(secrets)
        readiness.require_redis(redis_url)
        readiness.require_database(database_url)
        told = children.environment(
            self._data_dir, secrets, self._ports, database_url=database_url, redis_url=redis_url
        )
        self._write_settings(told, is_running=True)
        return told

    def _start_valkey(self, secrets: keys.Keys) -> str:
        log = self._supervisor.log_of("valkey")
        process.rotate(log)
        store = valkey.start(home=self._data_dir.valkey, log=log, password=secrets.redis_password)
        self._supervisor.adopt(store.program, store.server)
        self._screen.step("Valkey is up")
        return store.url

    def _start_postgres(self, secrets: keys.Keys) -> str:
        log = self._supervisor.log_of("postgres")
        process.rotate(log)
        place = postgres.settle(self._data_dir.path)
        postgres.stop_left_over(place)
        database = postgres.start(place, log=log, password=secrets.database_password)
        self._supervisor.adopt(database.program, database.server)
        self._database_home = place.home
        self._screen.step(f"PostgreSQL {place.programs.version} is up")
        return database.url

    def _prepare(self, told: dict[str, str]) -> None:
        """Migrate and import history, unless the database already stands as it should."""
        has_key = bool(keys.load_or_generate(self._data_dir).connector_api_key)
        if has_key and not self._history and schema.is_current(told["DATABASE_URL"]):
            return
        self._do("prepare", lambda: prepare(self._data_dir))
        for file in self._history:
            self._do(
                "import",
                functools.partial(roles.import_history, file.path, file.symbol, file.timeframe),
            )
        self._screen.step("The database is prepared")

    def _do(self, name: str, work: Callable[[], object]) -> None:
        """Do ``work`` in a fork, so that no connection of it stays with us; raise if it fails."""
        log = self._supervisor.log_of(name)
        process.rotate(log)
        working = process.Role(name, work).start(log)
        try:
            exit_code = working.wait()
        finally:
            process.stop(working)
        if exit_code != 0:
            raise StackError(f"{name} failed; the log {log} ends:\n{process.tail(log)}")

    def _start_servers(self) -> None:
        for role in roles.servers(web_port=self._ports.web, workers=self._wish.workers):
            self._supervisor.start(role)
        self._supervisor.start(roles.flower(self._ports.flower))
        self._await_servers()
        self._screen.step("Web, gateway and workers are up")

    def _await_servers(self) -> None:
        """Wait until the web server finds all well; a server that ends is a reason to stop."""
        deadline = time.monotonic() + _READY_SECONDS
        shown = ""
        while (waits_for := self._missing()) is not None:
            if waits_for != shown:
                self._screen.step(f"Waiting for {waits_for}")
                shown = waits_for
            for ended in self._supervisor.check():
                log = self._supervisor.log_of(ended.name)
                if ended.name == "flower":
                    # Another program took the port meanwhile; nothing else waits for this page.
                    self._ports = dataclasses.replace(self._ports, flower=ports.choose_free())
                    self._supervisor.start(roles.flower(self._ports.flower))
                    continue
                raise StackError(
                    f"{ended.name} ended with exit code {ended.exit_code} before it was ready; "
                    f"the log {log} ends:\n{process.tail(log)}"
                )
            if time.monotonic() > deadline:
                raise StackError(
                    f"After {_READY_SECONDS:.0f} s the stack still waits for {waits_for}; "
                    f"the logs are in {self._data_dir.logs}."
                )
            time.sleep(0.1)

    def _missing(self) -> str | None:
        """Return what is not ready yet; None once all is.

        The web server is asked last: each of its processes remembers what it saw for a while.
        """
        if not readiness.listens(self._ports.gateway):
            return "the gateway"
        unserved = roles.unserved_queues()
        if unserved:
            return f"workers for {', '.join(sorted(unserved))}"
        return readiness.missing(self._ports.web)

    def _start_connector(self, told: dict[str, str]) -> None:
        if self._feed is None:
            return
        self._data_dir.connector.mkdir(exist_ok=True)
        program = children.connector(
            told,
            self._ports,
            self._data_dir,
            self._feed,
            api_key=keys.load_or_generate(self._data_dir).connector_api_key,
            exit_when_done=self._wish.exit_when_done,
        )
        self._supervisor.start(
            program, final_exits=frozenset({_CONNECTOR_IS_DONE, _CONNECTOR_REFUSES})
        )

    def _show(self) -> None:
        secrets = keys.load_or_generate(self._data_dir)
        running = (
            (name, pid)
            for name in self._supervisor.names()
            if (pid := self._supervisor.pid_of(name)) is not None
        )
        self._screen.show(
            Standing(
                data_dir=self._data_dir,
                ports=self._ports,
                feed=self._feed,
                running=tuple(running),
                database=_place(self._named_database_url, "PostgreSQL", self._database_home),
                store=_place(self._named_redis_url, "Valkey", self._data_dir.valkey),
                password=secrets.admin_password,
                ready_after_seconds=self._screen.seconds,
            )
        )
        if secrets.admin_password:
            keys.save(self._data_dir, dataclasses.replace(secrets, admin_password=""))

    def _keep_up(self) -> int:
        """Restart what falls until told to end; returns when the feed is done, if so wished."""
        while True:
            for ended in self._supervisor.check():
                log = self._supervisor.log_of(ended.name)
                if ended.restarts_in is not None:
                    self._screen.note(
                        f"{ended.name} ended with exit code {ended.exit_code}; "
                        f"it starts again in {ended.restarts_in:.0f} s. Log: {log}"
                    )
                elif ended.exit_code == _CONNECTOR_REFUSES:
                    raise StackError(process.tail(log, 1) or f"The connector failed; see {log}.")
                elif self._wish.exit_when_done:
                    return self._drain()
                else:
                    self._screen.note("The feed has ended; everything else stays up.")
            time.sleep(0.2)

    def _drain(self) -> int:
        self._screen.note("The feed has ended; the pipeline finishes its work.")
        draining = process.Role("drain", roles.wait_until_drained).start(log=None)
        try:
            while draining.poll() is None:
                for ended in self._supervisor.check():
                    self._screen.note(f"{ended.name} ended with exit code {ended.exit_code}.")
                time.sleep(0.1)
        finally:
            process.stop(draining, grace_seconds=2.0)
        if draining.wait() != 0:
            raise StackError("What is left to do could not be found out; see above.")
        self._screen.note("All work is done.")
        return 0

    def _end(self) -> None:
        # A second Ctrl-C must not leave half of it running; what follows is bounded in time.
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        self._screen.step("Ending")
        names = [name for name in self._supervisor.names() if name not in _STORES]
        self._supervisor.stop(names, grace_seconds=_GRACE_SECONDS)
        self._supervisor.stop(_STORES, grace_seconds=_GRACE_SECONDS)
        with contextlib.suppress(OSError):
            self._data_dir.children.unlink()
            self._write_settings({}, is_running=False)
        self._screen.step("Everything has ended")

    def _write_settings(self, told: dict[str, str], *, is_running: bool) -> None:
        """Write what commands beside the stack read; after it, only the secrets still hold."""
        secrets = keys.load_or_generate(self._data_dir)
        content: dict[str, object] = {
            "data_dir": str(self._data_dir.path),
            "secret_key": secrets.secret_key,
            "connector_jwt_keys": secrets.connector_jwt_keys,
            "gateway_tls_cert": str(self._data_dir.certificate),
            "gateway_tls_key": str(self._data_dir.private_key),
        }
        if is_running:
            content |= {
                "pid": os.getpid(),
                "database_url": told["DATABASE_URL"],
                "redis_url": told["REDIS_URL"],
                "port": self._ports.web,
                "gateway_port": self._ports.gateway,
            }
        write_private(self._data_dir.settings, content)


def _place(named_url: str, ours: str, home: Path) -> str:
    """Return where a store is, without the password that its URL may hold."""
    if not named_url:
        return f"{ours} in {home}"
    address = urlsplit(named_url)
    return f"{address.hostname}:{address.port or 'the usual port'}{address.path}, as you named it"
