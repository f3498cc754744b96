"""Strategies in shadow: the live one's closes, their own parameters, account and paper trades.

Nothing here writes what the live record is made of, and nothing here may hold it up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec
import structlog
from django.db import Error, transaction
from django.db import models as db
from redis.exceptions import RedisError

from signals_app.confluence import decision as core
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.protections import Exposure
from signals_app.confluence.refusals import RefusalReason
from signals_app.confluence.signal import TradingSignal
from signals_app.market import instrument as market
from signals_app.market.tick import Tick, Ticks
from signals_app.models import Decision, Instrument, Strategy, StreamPosition
from signals_app.pipeline import stream
from signals_app.pipeline.analysis import views_of, windows_of
from signals_app.pipeline.decisions import INSTRUMENT_OFF, refused_early
from signals_app.services.strategies import NotPossible
from trades_app.lifecycle import exposure, machine
from trades_app.models import ShadowPosition, ShadowTrade
from trades_app.trading.opening import entry_tick

log = structlog.get_logger(__name__)

#: Why a close made no trade, beside the core's own reasons.
TICKS_GONE, FAILED = "TICKS_GONE", "FAILED"
#: The stream keeps at most so many used ticks for shadows that lag behind.
KEPT_TICKS = 1_000_000
_CLOSES_AT_ONCE = 100
_DAY_MS = 86_400_000


def begin(strategy_id: int) -> Strategy:
    """Let a strategy run in shadow from now on; return it. Raises `NotPossible`.

    Closes decided by now are not followed: one that ran before goes on with its account, not with
    the closes between.
    """
    with transaction.atomic():
        strategy = _turned(strategy_id, Strategy.Status.RETIRED, Strategy.Status.SHADOW)
        for symbol in Instrument.objects.values_list("symbol", flat=True):
            now_ms = _newest_decided_ms(symbol)
            present = {"began_ms": now_ms, "close_time_ms": now_ms, "skipped": {}}
            ShadowPosition.objects.update_or_create(
                strategy=strategy, symbol=symbol, defaults=present
            )
    log.info("shadow_began", strategy=str(strategy))
    return strategy


def retire(strategy_id: int) -> Strategy:
    """Let a strategy in shadow follow no more closes; return it. Raises `NotPossible`.

    Its open trades run on to their end.
    """
    with transaction.atomic():
        strategy = _turned(strategy_id, Strategy.Status.SHADOW, Strategy.Status.RETIRED)
    log.info("shadow_retired", strategy=str(strategy))
    return strategy


def follow(symbol: str) -> bool:
    """Let each strategy in shadow decide the next closes that were decided live.

    Returns whether more of them wait. One that cannot go on is left for the next time, and stops
    none of the others.
    """
    more = False
    for strategy in Strategy.objects.in_shadow():
        try:
            more |= _follow_some(strategy, symbol)
        except Exception:
            log.exception("shadow_not_followed", strategy=str(strategy), symbol=symbol)
    return more


def move(symbol: str, ticks: Ticks) -> None:
    """Move a symbol's open shadow trades; called in the transaction that uses the ticks."""
    rows = list(ShadowTrade.objects.open().filter(symbol=symbol).order_by("pk"))
    if not rows:
        return
    instrument = Instrument.objects.get(symbol=symbol).value()
    for row in rows:
        try:
            _move_one(row, instrument, ticks)
        except Exception as failure:
            # The live trades move in this transaction: no fault of a shadow may undo it.
            log.exception("shadow_trade_failed", shadow_trade=row.pk, symbol=symbol)
            ShadowTrade.objects.filter(pk=row.pk).update(is_open=False, failure=repr(failure)[:200])


def behind() -> int:
    """Return how many decided closes strategies in shadow have still to follow."""
    following = ShadowPosition.objects.filter(strategy__status=Strategy.Status.SHADOW)
    return sum(
        _decided(symbol).filter(close_time_ms__gt=followed_ms).count()
        for symbol, followed_ms in following.values_list("symbol", "close_time_ms")
    )


def needed_ordinals(symbol: str) -> Iterator[int]:
    """Yield, for each strategy in shadow, the first tick that it may still need.

    That is the entry of the first close that it has not followed, but never further back than
    `KEPT_TICKS`: whoever lags more than that does without.
    """
    following = ShadowPosition.objects.filter(
        symbol=symbol, strategy__status=Strategy.Status.SHADOW
    )
    for followed_ms in following.values_list("close_time_ms", flat=True):
        ahead = Decision.objects.filter(symbol=symbol, close_time_ms__gt=followed_ms)
        entered = ahead.exclude(entry_ordinal=None).order_by("close_time_ms")
        for ordinal in entered.values_list("entry_ordinal", flat=True)[:1]:
            used = StreamPosition.objects.get(symbol=symbol).ordinal
            yield max(ordinal or 0, used - KEPT_TICKS)


def _turned(strategy_id: int, before: Strategy.Status, after: Strategy.Status) -> Strategy:
    strategy = Strategy.objects.select_for_update(no_key=True).get(pk=strategy_id)
    if strategy.status != before:
        raise NotPossible(f"{strategy} is {strategy.status}, not {before}.")
    strategy.status = after
    strategy.save(update_fields=("status",))
    return strategy


def _decided(symbol: str) -> "db.QuerySet[Decision]":
    """Return the closes that the live strategy is done with; its trade need not be open yet."""
    return Decision.objects.filter(symbol=symbol).exclude(outcome=Decision.Outcome.PENDING)


def _newest_decided_ms(symbol: str) -> int:
    """Return the end of the newest decided candle, 0 where there is none."""
    newest = _decided(symbol).order_by("-close_time_ms").first()
    return 0 if newest is None else newest.close_time_ms


@dataclass(frozen=True, slots=True)
class _Account:
    """What a strategy in shadow decides a symbol's closes with."""

    strategy: Strategy
    parameters: Parameters
    instrument: market.Instrument
    is_active: bool

    @property
    def trades(self) -> "db.QuerySet[ShadowTrade]":
        """Return all its trades of the symbol."""
        return ShadowTrade.objects.filter(
            strategy=self.strategy, symbol=self.instrument.symbol, failure=""
        )

    def exposure_before(self, entry: Tick) -> Exposure:
        """Return the account as it stood before the tick ``entry``, as the live one is read."""
        remembered_ms = entry.time_ms - exposure.memory_ms(self.parameters)
        older = self.trades.filter(exit_time_ms__lt=remembered_ms)
        recent = self.trades.exclude(exit_time_ms__lt=remembered_ms).order_by("entry_ordinal")
        return exposure.exposure_before(
            entry.ordinal,
            entry.time_ms,
            [(row.value(), row.event_values()) for row in recent],
            self.instrument,
            self.parameters,
            settled=older.aggregate(profit=db.Sum("profit_loss"))["profit"] or Decimal(0),
        )

    def next_number(self, close_time_ms: int) -> int:
        """Return the number of the next signal on the UTC day of a close."""
        day_began_ms = close_time_ms - close_time_ms % _DAY_MS
        of_the_day = ShadowTrade.objects.filter(
            strategy=self.strategy,
            symbol=self.instrument.symbol,
            close_time_ms__gte=day_began_ms,
            close_time_ms__lt=day_began_ms + _DAY_MS,
        )
        return of_the_day.count() + 1


def _follow_some(strategy: Strategy, symbol: str) -> bool:
    """Follow the next closes, at most up to one that makes a trade; say whether more wait.

    A trade takes the stream's position, which the live path needs: it is given back at once.
    """
    with transaction.atomic():
        position = _locked_position(strategy, symbol)
        ahead = _decided(symbol).filter(close_time_ms__gt=position.close_time_ms)
        waiting = list(ahead.order_by("close_time_ms")[:_CLOSES_AT_ONCE])
        if not waiting:
            return False
        row = Instrument.objects.get(symbol=symbol)
        account = _Account(strategy, strategy.value(), row.value(), row.is_active)
        windows = windows_of(symbol, waiting)
        for decision in waiting:
            early = refused_early(decision, windows[decision.close_time_ms], account.parameters)
            skipped = early.reason.value if early else _attempt(account, decision)
            position.close_time_ms = decision.close_time_ms
            if skipped is None:
                break
            position.skipped[skipped] = position.skipped.get(skipped, 0) + 1
        position.save()
    return position.close_time_ms < waiting[-1].close_time_ms or len(waiting) == _CLOSES_AT_ONCE


def _locked_position(strategy: Strategy, symbol: str) -> ShadowPosition:
    """Return the strategy's place among the closes; one that has none begins at the present."""
    now_ms = _newest_decided_ms(symbol)
    ShadowPosition.objects.get_or_create(
        strategy=strategy, symbol=symbol, defaults={"began_ms": now_ms, "close_time_ms": now_ms}
    )
    return ShadowPosition.objects.select_for_update().get(strategy=strategy, symbol=symbol)


def _attempt(account: _Account, decision: Decision) -> str | None:
    """Follow one close; what goes wrong with it costs this close and nothing else."""
    try:
        with transaction.atomic():
            return _follow_close(account, decision)
    except (Error, RedisError):
        # Not the close's fault: it is followed when the database or Redis answers again.
        raise
    except Exception:
        log.exception("shadow_close_failed", strategy=str(account.strategy), decision=str(decision))
        return FAILED


def _follow_close(account: _Account, decision: Decision) -> str | None:
    """Decide one close and open its trade; return why there is none, `None` where there is."""
    if decision.score is None or decision.entry_ordinal is None:
        return RefusalReason.WARMING_UP.value
    views = views_of(decision.symbol, [decision]).get(decision.close_time_ms)
    if views is None:
        return RefusalReason.WARMING_UP.value
    entry = entry_tick(decision)
    made = core.decide(
        account.instrument,
        views,
        entry,
        account.exposure_before(entry),
        account.parameters,
        account.next_number(decision.close_time_ms),
    )
    if made.refusal is not None:
        return made.refusal.reason.value
    if not account.is_active:
        return INSTRUMENT_OFF
    assert made.signal is not None
    named = f"{made.signal.signal_id}-S{account.strategy.pk}"
    return _open(account, replace(made.signal, signal_id=named), entry)


def _open(account: _Account, signal: TradingSignal, entry: Tick) -> str | None:
    """Open a signal's trade and let it catch up with the stream; return what hindered it."""
    symbol = signal.instrument
    # Whoever holds the position decides which ticks have moved trades.
    position = StreamPosition.objects.select_for_update().get(symbol=symbol)
    trade, events = machine.open_trade(signal, account.instrument, entry, account.parameters)
    try:
        for ticks in stream.read_ticks(symbol, entry.ordinal, position.ordinal):
            trade, more = machine.advance(trade, account.instrument, ticks)
            events += more
            if not trade.is_open:
                break
    except stream.TicksMissing:
        return TICKS_GONE
    row = ShadowTrade(
        strategy=account.strategy,
        symbol=symbol,
        close_time_ms=signal.timestamp_ms,
        signal=msgspec.to_builtins(signal),
        entry_ordinal=trade.entry_ordinal,
    )
    row.fill(trade, events)
    row.save(force_insert=True)
    log.info("shadow_trade_opened", signal_id=signal.signal_id, strategy=str(account.strategy))
    return None


def _move_one(row: ShadowTrade, instrument: market.Instrument, ticks: Ticks) -> None:
    trade, events = machine.advance(row.value(), instrument, ticks)
    if events:
        with transaction.atomic():
            row.fill(trade, events)
            row.save()
