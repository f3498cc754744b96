"""Stores one session's ticks in their order, and follows up on what came of them."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final, assert_never

from mt5_bridge.protocol.wire import Role, Row
from signals_app.gateway import metrics, replies
from signals_app.gateway.append_log import (
    Appended,
    AppendLog,
    AppendRequest,
    AppendResult,
    LeaseLost,
    StateLost,
)
from signals_app.gateway.append_plan import AppendPlan, Batch
from signals_app.gateway.append_queue import AppendQueue, Portion, count_rows
from signals_app.gateway.availability import until_available
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import TRY_AGAIN_LATER, Connection
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.roles import Assignment
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.wakers import PipelineWakers

log = logging.getLogger(__name__)

_MAX_WAITING_ROWS: Final = 20_000


class TickWriter:
    """Appends all that gathered while Redis was busy with the append before, so that appends grow
    with the load.
    """

    def __init__(
        self,
        append_log: AppendLog,
        wakers: PipelineWakers,
        connection: Connection,
        leases: SessionLeases,
        sender: MessageSender,
        session_id: str,
    ) -> None:
        self._log = append_log
        self._wakers = wakers
        self._connection = connection
        self._leases = leases
        self._sender = sender
        self._session_id = session_id
        self._queue = AppendQueue()
        self._is_storing = self._is_stopped = False
        self._has_work = asyncio.Event()
        self._has_room = asyncio.Event()
        self._is_idle = asyncio.Event()

    def add_ticks(self, symbol: str, seq: int | None, rows: Sequence[Row]) -> None:
        """Put ticks in; `seq` is the first one's."""
        self._queue.add_batch(symbol, Batch(seq, rows), time.perf_counter())
        self._has_work.set()

    def add_watermark(self, symbol: str, time_ms: int) -> None:
        """Put a watermark in, behind the ticks that came before it."""
        self._queue.add_watermark(symbol, time_ms, time.perf_counter())
        self._has_work.set()

    @property
    def is_full(self) -> bool:
        """Whether so much waits for Redis that no more should be read."""
        return self._queue.row_count > _MAX_WAITING_ROWS

    async def room(self) -> None:
        """Wait until half of what may wait is stored."""
        self._has_room.clear()
        await self._has_room.wait()

    async def drained(self) -> None:
        """Wait until nothing waits to be stored, or will be any more."""
        while not self._is_stopped and (self._is_storing or self._queue):
            self._is_idle.clear()
            await self._is_idle.wait()

    def discard(self) -> None:
        """Forget what waits to be stored; the connector has it."""
        self._queue.discard_all()
        self._has_room.set()
        self._is_idle.set()

    def stop(self) -> None:
        """Let nobody wait for this writer any more."""
        self._is_stopped = True
        self.discard()

    def resume_anew(self, symbol: str) -> None:
        """End the connection because Redis lost ticks of a symbol; its connector sends them again.

        What waits may not be stored before that.
        """
        if not self._connection.closed:
            log.warning("Redis lost ticks of %s; %r has to resume", symbol, self._connection.name)
        self.discard()
        end = self._connection.end(TRY_AGAIN_LATER, "resume from the beginning")
        self._sender.carry_out(end)

    async def run(self) -> None:
        """Store what comes, for ever."""
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while portions := self._queue.take():
                self._is_storing = True
                requests = [self._request(portion) for portion in portions]
                results = await self._append(requests)
                self._is_storing = False
                for request, result in zip(requests, results, strict=True):
                    self._follow_up(request, result)
                if self._queue.row_count <= _MAX_WAITING_ROWS // 2:
                    self._has_room.set()
            self._is_idle.set()

    def _request(self, portion: Portion) -> AppendRequest:
        return AppendRequest(
            portion.symbol,
            self._connection.name,
            self._session_id,
            self._leases.known_seq(portion.symbol),
            portion.batches,
            portion.watermark_ms,
            portion.received_at,
            self._connection.spool,
        )

    async def _append(self, requests: list[AppendRequest]) -> list[AppendResult]:
        return await until_available(lambda: self._log.append(requests, wall_ms()))

    def _follow_up(self, request: AppendRequest, result: AppendResult) -> None:
        symbol = request.symbol
        metrics.ticks_received.labels(symbol).inc(count_rows(request.batches))
        match result:
            case Appended(plan):
                metrics.store_seconds.observe(time.perf_counter() - request.received_at)
                # Also where nothing is new: an attempt before may have stored it without a reply.
                self._wakers.wake(symbol, at_once=plan.may_decide)
                if plan.seq:
                    self._leases.stored(symbol, plan.seq)
                    self._sender.acknowledge(symbol, plan.seq)
                self._report_rejected(symbol, plan)
            case LeaseLost(state):
                dropped = [*request.batches, *self._queue.discard(symbol)]
                metrics.ticks_rejected.labels(Role.STANDBY.value).inc(count_rows(dropped))
                assignment = Assignment.of(Role.STANDBY, self._connection.name, state)
                self._sender.carry_out(self._connection.demoted(symbol, assignment, dropped))
            case StateLost():
                self.resume_anew(symbol)
            case _:
                assert_never(result)

    def _report_rejected(self, symbol: str, plan: AppendPlan) -> None:
        """Count what was not stored, and send an error for bad ticks."""
        for reason, count in plan.refusals.items():
            metrics.ticks_rejected.labels(reason.value).inc(count)
        if plan.duplicates:
            metrics.ticks_rejected.labels("known").inc(plan.duplicates)
        if plan.earlier:
            metrics.ticks_rejected.labels("earlier").inc(plan.earlier)
        if plan.missing:
            name = self._connection.name
            log.warning("%r left out %d ticks of %s", name, plan.missing, symbol)
        if plan.first_refusal is not None:
            error = replies.bad_ticks(symbol, plan, plan.first_refusal, wall_ms())
            self._sender.carry_out((error,))
