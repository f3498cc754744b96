"""What the gateway asks of the database and of the pipeline, through Django."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import kombu.exceptions
import redis
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    close_old_connections,
    connection,
)
from django.utils import timezone

from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.connector_codes import ConnectorEventCode
from signals_app.connector_permits import Permit, TokenRights
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.overlap import tail_of
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe
from signals_app.models import Connector
from signals_app.pipeline import checkpoints
from signals_app.services import connectors, instruments, price_history
from signals_app.services.history_correction import forget_shifted
from signals_app.tasks import wake_pipeline


class DjangoDatabase:
    """Answers with the rows of Django's models. Called from several threads."""

    def permits(self, tokens: Sequence[Claims]) -> Sequence[Permit]:
        """What each token, which is good by itself, still allows its connector."""
        rights = [TokenRights(each.connector, each.key, each.issued_at) for each in tokens]
        with _answering():
            return connectors.permits(rights)

    def other_spellings(self, symbols: Collection[str]) -> Mapping[str, str]:
        """Of these symbols those that are instruments in another case only, with that spelling."""
        with _answering():
            return instruments.other_spellings(symbols)

    def checkpoint(self, symbol: str) -> Checkpoint | None:
        """From where ticks are needed again should Redis hold none; `None` for a new symbol."""
        with _answering():
            kept = checkpoints.resume_checkpoint(symbol)
        if kept is None:
            return None
        return Checkpoint(
            ordinal=int(kept["ordinal"]),
            time_ms=int(kept["time_ms"]),
            bid=float(kept["bid"]),
            seqs={name: int(seq) for name, seq in kept["seqs"].items()},
            # Checkpoints that were kept before these were noted lack them.
            writer=kept.get("writer") or None,
            watermark_ms=int(kept.get("watermark_ms", 0)),
            tail=tail_of(kept["tail"]) if kept.get("tail") else None,
        )

    def store_history(self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]) -> int:
        """Store closed candles; return how many were kept.

        Earlier ones that are the same but for a wrong clock give way to them.
        """
        plain = [(row.time_ms, row.open, row.high, row.low, row.close, row.volume) for row in rows]
        with _answering():
            forget_shifted(symbol, timeframe, plain)
            return price_history.store_history(symbol, timeframe, plain)

    def wake(self, symbol: str) -> None:
        """See to it that one `build_candles` task of the symbol is waiting."""
        with _answering():
            wake_pipeline(symbol)

    def record(
        self,
        connector: str,
        code: ConnectorEventCode,
        symbol: str,
        message: str,
        times: int = 1,
    ) -> None:
        """Keep what a connector reported or what happened to it, so often."""
        with _answering():
            connectors.report_connector_event(connector, code, symbol, message, times)

    def record_presence(self, roles: Mapping[str, Mapping[str, Role]]) -> None:
        """Note when these connectors were last here, and their roles."""
        now = timezone.now()
        with _answering():
            for name, by_symbol in roles.items():
                plain = {symbol: role.value for symbol, role in by_symbol.items()}
                Connector.objects.filter(name=name).update(last_seen=now, roles=plain)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn the absence of a server, or of its tables, into `DatabaseUnavailable`."""
    # A thread may come back after hours to a connection that the database has long closed.
    close_old_connections()
    try:
        yield
    except (DataError, IntegrityError):
        raise  # another attempt would end like this one
    except (DatabaseError, InterfaceError) as error:
        # After a migration, a connection may go on with plans that are no longer good.
        if not connection.in_atomic_block:
            connection.close()
        raise DatabaseUnavailable(str(error).strip()) from error
    except (redis.RedisError, kombu.exceptions.OperationalError, OSError) as error:
        raise DatabaseUnavailable(str(error)) from error
