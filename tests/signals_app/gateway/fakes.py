"""Redis, a WebSocket and the pipeline's wake-ups in memory, for tests without servers."""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

from websockets.exceptions import ConnectionClosedOK

from signals_app.gateway.append_script import Arguments
from signals_app.gateway.availability import StreamUnavailable
from signals_app.gateway.name_lease import Acquired
from signals_app.gateway.stream_state import StreamState, parse_state
from signals_app.market.tick import Ticks


class MemoryStore:
    """Stands in for `StreamStore`: does what its scripts do, by a clock that tests set."""

    def __init__(self, now_ms: int = 1_704_456_000_000) -> None:
        self.now_ms = now_ms
        self.states: dict[str, dict[str, str]] = {}
        self.entries: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.is_down = False

    async def read(self, symbol: str) -> tuple[StreamState | None, int]:
        self._answer()
        return parse_state(self._reply(f"ticks:{symbol}:state")), self.now_ms

    async def create(self, symbol: str, fields: dict[str, str]) -> None:
        self._answer()
        if f"ticks:{symbol}:state" not in self.states:
            self.entries.pop(f"ticks:{symbol}", None)
            self.states[f"ticks:{symbol}:state"] = dict(fields)

    async def update(self, updates: list[Arguments]) -> list[Any]:
        self._answer()
        return [self._update(list(arguments)) for arguments in updates]

    def lose_everything(self) -> None:
        self.states.clear()
        self.entries.clear()

    def times(self, symbol: str = "XAUUSD") -> list[int]:
        """Return the times of all ticks that are stored."""
        entries = [fields for _, fields in self.entries.get(f"ticks:{symbol}", []) if fields["n"]]
        return [tick.time_ms for each in entries for tick in Ticks.unpack(each["f"], each["d"])]

    def watermarks(self, symbol: str = "XAUUSD") -> list[int]:
        entries = self.entries.get(f"ticks:{symbol}", [])
        return [fields["w"] for _, fields in entries if "w" in fields]

    def _update(self, arguments: Arguments) -> Any:
        state_key, stream_key, *rest = arguments
        state = self.states.get(state_key, {})
        expected = _take_fields(rest)
        if any(state.get(name, "") != value for name, value in expected.items()):
            return self._reply(state_key)
        clock = rest.pop(0)
        change = _take_fields(rest)
        while rest:
            entry_id = rest.pop(0)
            self.entries.setdefault(stream_key, []).append((entry_id, _take_fields(rest)))
        if clock:
            change[clock] = str(self.now_ms)
        self.states[state_key] = state | change
        return b"OK"

    def _reply(self, state_key: str) -> list[bytes]:
        state = self.states.get(state_key, {})
        return [part.encode() for pair in state.items() for part in pair]

    def _answer(self) -> None:
        if self.is_down:
            raise StreamUnavailable("Redis is down")


def _take_fields(arguments: list[Any]) -> dict[str, Any]:
    count = arguments.pop(0)
    pairs = [(arguments.pop(0), arguments.pop(0)) for _ in range(count)]
    return dict(pairs)


class FakeTransport:
    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


class FakeSocket:
    """Stands in for `GatewayConnection`: the test is the peer."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.is_let_in = self.is_verified = False
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    def say(self, **message: Any) -> None:
        """Let the gateway receive this message."""
        self._frames.put_nowait(json.dumps(message))

    def hang_up(self) -> None:
        """End the connection as a peer does."""
        self._frames.put_nowait(None)

    def sent_types(self) -> list[str]:
        return [message["type"] for message in self.sent]

    def last(self, kind: str) -> dict[str, Any] | None:
        """Return the last message of this type that was sent."""
        return next((one for one in reversed(self.sent) if one["type"] == kind), None)

    async def recv(self) -> str | bytes:
        frame = await self._frames.get()
        if frame is None:
            raise ConnectionClosedOK(None, None)
        return frame

    async def send(self, message: str) -> None:
        if self.closed is not None:
            raise ConnectionClosedOK(None, None)
        self.sent.append(json.loads(message))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        self.hang_up()

    address = "192.0.2.1"

    def verified(self) -> None:
        self.is_verified = True

    def let_in(self) -> None:
        self.is_let_in = True


class FakeWakers:
    """Stands in for `PipelineWakers`: notes which symbols were woken, and whether at once."""

    def __init__(self) -> None:
        self.woken: list[tuple[str, bool]] = []

    def wake(self, symbol: str, *, at_once: bool) -> None:
        self.woken.append((symbol, at_once))


class FakeNames:
    """Stands in for `NameLeases`: one spool a name, kept in memory."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, str]] = {}
        self.wanted: set[str] = set()

    async def acquire(
        self, name: str, symbols: Collection[str], spool: str, session: str
    ) -> Acquired:
        held = self.held.get(name, (spool, session))
        if held[0] != spool and held[1] != session:
            self.wanted.add(name)
            return Acquired.REFUSED
        self.held[name] = (spool, session)
        return Acquired.GRANTED

    async def renew(self, name: str, symbols: Collection[str], spool: str, session: str) -> bool:
        was_wanted = name in self.wanted
        self.wanted.discard(name)
        return was_wanted

    async def release(self, name: str, symbols: Collection[str], session: str) -> None:
        self.held.pop(name, None)


class FakeEvents:
    """Stands in for `EventWriter`: keeps the events."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str, str, str]] = []

    def record(self, connector: str, code: str, symbol: str, message: str) -> None:
        self.recorded.append((connector, code, symbol, message))


async def until(is_so: Callable[[], Any], within: float = 5.0) -> None:
    """Wait until something is so; fails after ``within`` seconds."""
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110 - other tasks of the test make it so
            await asyncio.sleep(0.002)
