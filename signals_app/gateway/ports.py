"""What the gateway asks of the database and of the pipeline."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.connector_codes import ConnectorEventCode
from signals_app.connector_permits import Permit
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.tokens import Claims
from signals_app.market.candle import Timeframe


class GatewayDatabase(Protocol):
    """The calls are made from threads, several at a time, and raise `DatabaseUnavailable` where the
    database does not answer.
    """

    def permits(self, tokens: Sequence[Claims]) -> Sequence[Permit]:
        """What each token, which is good by itself, still allows its connector."""
        ...

    def other_spellings(self, symbols: Collection[str]) -> Mapping[str, str]:
        """Of these symbols those that are known in another case only, with that spelling."""
        ...

    def checkpoint(self, symbol: str) -> Checkpoint | None:
        """From where ticks are needed again should Redis hold none; `None` for a new symbol."""
        ...

    def store_history(self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]) -> int:
        """Store closed candles; return how many were kept."""
        ...

    def wake(self, symbol: str) -> None:
        """See to it that the symbol's stream is read soon; called after ticks were stored."""
        ...

    def record(
        self,
        connector: str,
        code: ConnectorEventCode,
        symbol: str,
        message: str,
        times: int = 1,
    ) -> None:
        """Keep what a connector reported or what happened to it, so often."""
        ...

    def record_presence(self, roles: Mapping[str, Mapping[str, Role]]) -> None:
        """Note the connectors that are connected, and their role by symbol."""
        ...
