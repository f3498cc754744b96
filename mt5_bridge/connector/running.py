"""One connector, from its settings to its exit code."""

import asyncio
import logging
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

from mt5_bridge.connector import logs
from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.client import Client, Settings
from mt5_bridge.connector.config import Config, SourceKind
from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.credentials import (
    CredentialsError,
    GivenToken,
    TokenEndpoint,
    TokenSource,
    trust_also,
    trust_only,
)
from mt5_bridge.connector.spool_file import SpoolDamagedError, SpoolError
from mt5_bridge.connector.spool_rescue import open_spool, put_aside
from mt5_bridge.connector.supervised import beat, end_with
from mt5_bridge.files.errors import MarketFileError
from mt5_bridge.files.tick_files import check_file
from mt5_bridge.sources.base import QuoteSource, SourceError
from mt5_bridge.sources.replay import ReplaySource
from mt5_bridge.sources.simulated.source import SimulatedSource

log = logging.getLogger("mt5_bridge")

MISTAKE: Final = 1
BAD_INPUT: Final = 2
"""The exit code of a setting or an input that is wrong: starting again does not help."""
INTERRUPTED: Final = 130
# Between one damaged spool and the next: a disk that goes on failing is no reason to hurry.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 120.0


def run_alone(config: Config, supervisor: Connection | None = None) -> int:
    """Run the connector until it ends, or until its supervisor does; return its exit code."""
    try:
        return _run(config, supervisor)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ConfigError, CredentialsError, SourceError, MarketFileError) as error:
        log.critical("%s", error)
        return BAD_INPUT
    except Exception:
        # Nobody may be looking at a console: the log has to say why it ended.
        log.critical("the connector has ended by a mistake of its own", exc_info=True)
        return MISTAKE


def run_stream(config: Config, supervisor: Connection | None) -> int:
    """Run one of several connectors, in a process of its own; return its exit code."""
    logs.set_up(config.spool, label=config.name)
    code = run_alone(config, supervisor)
    logs.finish()
    return code


def _run(config: Config, supervisor: Connection | None) -> int:
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    while True:
        try:
            return _run_with_spool(config, supervisor)
        except SpoolDamagedError as error:
            # Everything begins anew with a new spool: its numbers, the place in the source, the
            # login that shows which spool it is.
            put_aside(config.spool, str(error))
        time.sleep(backoff.next_pause())


def _run_with_spool(config: Config, supervisor: Connection | None) -> int:
    """Run until the end, or until the spool is found to be damaged: `SpoolDamagedError`."""
    trust = None
    if config.url.startswith("wss:"):
        trust = trust_only(config.cafile, config.certificate)
    source = _source(config)
    try:
        spool = open_spool(config.spool)
    except SpoolError as error:
        log.critical("%s", error)
        return BAD_INPUT
    try:
        log.info("%s", source.description)
        client_settings = Settings(
            url=config.url,
            name=config.name,
            exit_when_done=config.exit_when_done,
            trust=trust,
            status_directory=config.spool,
        )
        client = Client(client_settings, source, spool, _tokens(config))
        return asyncio.run(_work(client, supervisor))
    except SpoolError as error:
        # Its disk has failed since: it may be well again at the next start.
        log.critical("%s", error)
        return MISTAKE
    finally:
        with suppress(SpoolError, SpoolDamagedError):
            spool.close()


async def _work(client: Client, supervisor: Connection | None) -> int:
    loop = asyncio.get_running_loop()
    beating = None
    if supervisor is not None:
        end_with(supervisor, lambda: loop.call_soon_threadsafe(client.stop))
        # Held: a task that nobody holds may be collected.
        beating = asyncio.create_task(beat(supervisor))
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, client.stop)
        except NotImplementedError:  # Windows has no signal handlers on its loop
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(client.stop))
    try:
        await client.run()
    finally:
        if beating is not None:
            beating.cancel()
    logs.say(client.summary())
    return 0


def _source(config: Config) -> QuoteSource:
    match config.source:
        case SourceKind.REPLAY:
            return _replay(config)
        case SourceKind.SIMULATED:
            return SimulatedSource(
                config.symbol,
                seed=config.seed,
                speed=config.speed,
                from_ms=config.from_ms,
                digits=config.digits,
                default_spread=config.default_spread,
            )
        case SourceKind.MT5:
            # Here: the MetaTrader5 package exists on Windows only.
            from mt5_bridge.sources.terminal.opening import TerminalAccount
            from mt5_bridge.sources.terminal.source import open_terminal

            account = TerminalAccount(
                config.terminal, config.login, config.password, config.server, config.portable
            )
            return open_terminal(
                config.symbol,
                account=account,
                clock=config.clock,
                broker_symbol=config.terminal_symbol,
                poll_interval=config.poll_interval,
            )


def _replay(config: Config) -> ReplaySource:
    path = config.file
    if path is None:
        raise ConfigError("a replay needs a file of ticks; give it with --file")
    settings = {
        "source_timezone": config.source_timezone,
        "digits": config.digits,
        "default_spread": config.default_spread,
    }
    # To the end, before anything is sent: a bad file must not leave half of itself behind.
    check_file(path, config.symbol, **settings)  # type: ignore[arg-type]
    source = ReplaySource(
        path,
        config.symbol,
        speed=config.speed,
        history=config.history,
        **settings,  # type: ignore[arg-type]
    )
    source.history(0)
    return source


def _tokens(config: Config) -> TokenSource:
    if config.token:
        return GivenToken(config.token)
    own = config.token_cafile
    trust = trust_only(own) if own else trust_also(config.cafile, config.certificate)
    return TokenEndpoint(config.token_url, config.api_key, config.name, (config.symbol,), trust)
