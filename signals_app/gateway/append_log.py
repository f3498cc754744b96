"""Appends ticks to the symbols' streams: each tick once, whoever else writes.

An append is planned from the state that this process remembers, and done by Redis only if the
state still is that one; otherwise Redis answers with the new one, and the append is planned again.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

from mt5_bridge.protocol.quote_filter import QuoteFilter
from mt5_bridge.protocol.wire import Role
from signals_app.gateway.append_plan import AppendPlan, Batch, plan_append
from signals_app.gateway.append_script import append_arguments, update_arguments
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable
from signals_app.gateway.lease import Lease, LeaseTimeouts, acquire
from signals_app.gateway.stream_state import (
    Checkpoint,
    StreamState,
    lease_fields,
    parse_state,
    state_fields,
)
from signals_app.gateway.stream_store import DONE, StreamStore

ReadCheckpoint: TypeAlias = Callable[[str], Awaitable[Checkpoint | None]]

# A state changes only while another connection of the symbol writes; that ends soon.
_ATTEMPTS: Final = 50


@dataclass(frozen=True, slots=True)
class JoinResult:
    """A connector's role for a symbol, and the state of the symbol's stream.

    `taken_from` names the connector that was active before, if it was another one.
    """

    role: Role
    state: StreamState
    taken_from: str | None = None


@dataclass(frozen=True, slots=True)
class AppendRequest:
    """What one connection has for a symbol: batches of ticks, and the watermark behind them.

    `known_seq` is the last seq that this connection knows to be stored. `received_at` is when the
    oldest batch was read, by `time.perf_counter`; 0 where nobody measures. `spool` is the identity
    of what numbers the ticks, empty where the connector says none.
    """

    symbol: str
    connector: str
    connection: str
    known_seq: int
    batches: Sequence[Batch] = ()
    watermark_ms: int | None = None
    received_at: float = 0.0
    spool: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """All of the request is in the stream, but for what `plan` counts as refused or duplicate."""

    plan: AppendPlan


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another connector is active by now; nothing was stored."""

    state: StreamState


@dataclass(frozen=True, slots=True)
class StateLost:
    """Redis no longer holds what it held; nothing was stored. The connection must resume anew."""


AppendResult: TypeAlias = Appended | LeaseLost | StateLost


class AppendLog:
    """The streams of all symbols, as one gateway process writes them."""

    def __init__(
        self,
        store: StreamStore,
        read_checkpoint: ReadCheckpoint,
        *,
        quote_filter: QuoteFilter | None = None,
        timeouts: LeaseTimeouts | None = None,
    ) -> None:
        self._store = store
        self._read_checkpoint = read_checkpoint
        self._filter = quote_filter or QuoteFilter()
        self._timeouts = timeouts or LeaseTimeouts()
        self._states: dict[str, StreamState] = {}
        self._last_active: dict[str, str] = {}

    async def join(self, symbol: str, connector: str, connection: str) -> JoinResult:
        """Acquire the lease for a connection if it may have it; say where to resume.

        A state that Redis lost, or that is behind what the database has used, is put to the
        database's checkpoint first. That the database cannot be asked matters only where Redis
        holds nothing. Who was active then keeps the lease for as long as after a disconnect.
        Raises `StreamUnavailable` and `DatabaseUnavailable`.
        """
        for _ in range(_ATTEMPTS):
            state, now_ms = await self._read(symbol)
            before = state.lease if state is not None else None
            lease = acquire(before, connector, connection, now_ms, self._timeouts)
            if lease is None and state is not None:
                return JoinResult(Role.STANDBY, state)
            state = await self._restored(symbol, state, now_ms)
            if state is None or lease is None:
                continue
            change = update_arguments(
                symbol, expect=lease_fields(before), change=lease_fields(lease)
            )
            (reply,) = await self._store.update([change])
            if reply == DONE:
                self._states[symbol] = replace(state, lease=lease)
                self._last_active[symbol] = connector
                last = before.connector if before is not None else state.writer
                taken_from = last if last != connector else None
                return JoinResult(Role.ACTIVE, self._states[symbol], taken_from)
        raise StreamUnavailable(f"the state of {symbol} keeps changing")

    async def state(self, symbol: str) -> StreamState:
        """How far the symbol's stream goes by now. Raises `StreamUnavailable`."""
        return (await self._read(symbol))[0] or StreamState()

    async def append(
        self, requests: Sequence[AppendRequest], now_ms: int | None
    ) -> list[AppendResult]:
        """Append each request in one atomic step; return the results in the requests' order.

        The requests are for different symbols. ``now_ms`` (Unix) is what a tick may not be far
        ahead of; `None` lets it. Raises `StreamUnavailable`; then each may be stored or not, and
        repeating the same requests stores what is missing.
        """
        results: dict[str, AppendResult] = {}
        pending = list(requests)
        for _ in range(_ATTEMPTS):
            planned: list[_Planned] = []
            for request in pending:
                state = await self._trusted_state(request)
                loss = _loss(request, state)
                if loss is None:
                    planned.append(self._plan(request, state, now_ms))
                else:
                    results[request.symbol] = loss
            if planned:
                replies = await self._store.update([_arguments(*each) for each in planned])
                for each, reply in zip(planned, replies, strict=True):
                    result = self._settle(each, reply)
                    if result is not None:
                        results[each.request.symbol] = result
            pending = [request for request in pending if request.symbol not in results]
            if not pending:
                return [results[request.symbol] for request in requests]
        symbols = ", ".join(request.symbol for request in pending)
        raise StreamUnavailable(f"the states of {symbols} keep changing")

    async def renew(self, symbols: Iterable[str], connector: str) -> None:
        """Note a sign of life of an active connector. Raises `StreamUnavailable`."""
        expect = {"active": connector}
        change = {"active_gone": ""}
        await self._store.update(
            [
                update_arguments(symbol, expect=expect, change=change, clock="active_seen")
                for symbol in symbols
            ]
        )

    async def disconnect(self, symbols: Iterable[str], connection: str) -> None:
        """Note that a connection ended: its leases run out after the grace time.

        Raises `StreamUnavailable`.
        """
        expect = {"active_connection": connection, "active_gone": ""}
        await self._store.update(
            [update_arguments(symbol, expect=expect, clock="active_gone") for symbol in symbols]
        )

    async def has_lost_state(self, symbol: str, connector: str, known_seq: int) -> bool:
        """Whether Redis lost what it held of an active connector since it joined.

        That is to be asked now and then, as a quiet market has nothing to store. Raises
        `StreamUnavailable`.
        """
        state, _ = await self._read(symbol)
        if state is None or state.lease is None or state.seq(connector) < known_seq:
            return True
        # Put back by another connection's `join`; this one has to take up its lease again.
        return state.lease.connector == connector and not state.lease.connection

    async def _trusted_state(self, request: AppendRequest) -> StreamState:
        """What is remembered, or Redis's own where that would refuse the request.

        What this process remembers may be stale: it never refuses by memory alone.
        """
        symbol = request.symbol
        state = self._states.get(symbol, StreamState())
        if _loss(request, state) is not None:
            state = (await self._read(symbol))[0] or StreamState()
            self._states[symbol] = state
        return state

    def _plan(self, request: AppendRequest, state: StreamState, now_ms: int | None) -> "_Planned":
        plan = plan_append(
            state,
            request.connector,
            request.batches,
            request.watermark_ms,
            self._filter,
            now_ms,
            spool=request.spool,
        )
        return _Planned(request, state, plan)

    def _settle(self, planned: "_Planned", reply: Any) -> AppendResult | None:
        """Remember what Redis answered; `None` where its state is another, to be planned again."""
        symbol = planned.request.symbol
        if reply == DONE:
            self._states[symbol] = planned.plan.state
            return Appended(planned.plan)
        found = parse_state(reply)
        if found:
            self._states[symbol] = found
            return None
        self._states.pop(symbol, None)
        return StateLost()

    async def _read(self, symbol: str) -> tuple[StreamState | None, int]:
        state, now_ms = await self._store.read(symbol)
        if state is not None and state.lease is not None:
            self._last_active[symbol] = state.lease.connector
        return state, now_ms

    async def _restored(
        self, symbol: str, state: StreamState | None, now_ms: int
    ) -> StreamState | None:
        """Return the state if it can be trusted; otherwise put it right and return `None`."""
        try:
            checkpoint = await self._read_checkpoint(symbol)
        except DatabaseUnavailable:
            if state is None:
                raise
            return state
        if state is None:
            fresh = StreamState() if checkpoint is None else StreamState.at(checkpoint)
            fields = state_fields(fresh)
            # A standby hears of the loss first where the active connector is just coming back.
            active = self._last_active.get(symbol) or fresh.writer
            if active is not None:
                fields |= lease_fields(Lease(active, "", now_ms, gone_ms=now_ms))
            await self._store.create(symbol, fields)
            return None
        if checkpoint is not None and checkpoint.ordinal > state.ordinal:
            # Redis came back from an older copy of itself.
            expect = {"ordinal": str(state.ordinal)}
            change = state_fields(StreamState.at(checkpoint))
            await self._store.update([update_arguments(symbol, expect=expect, change=change)])
            return None
        return state


class _Planned(NamedTuple):
    """A request, the state that it was planned from, and what is to be appended."""

    request: AppendRequest
    state: StreamState
    plan: AppendPlan


def _loss(request: AppendRequest, state: StreamState) -> LeaseLost | StateLost | None:
    if state.seq(request.connector) < request.known_seq or state.lease is None:
        return StateLost()
    if state.lease.connector != request.connector:
        return LeaseLost(state)
    return None


def _arguments(request: AppendRequest, state: StreamState, plan: AppendPlan) -> list[object]:
    return append_arguments(
        request.symbol,
        request.connector,
        request.connection,
        state,
        plan,
        _received_ms(request),
        request.spool,
    )


def _received_ms(request: AppendRequest) -> int:
    """When the oldest batch was read, by the wall clock; only latencies need it."""
    waited = time.perf_counter() - request.received_at if request.received_at else 0.0
    return round((time.time() - waited) * 1000)
