"""Strategies in shadow: the live one's closes, their own parameters, account and paper trades.

Nothing here writes what the live record is made of, and nothing here may hold it up.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import Error, transaction
from django.db import models as db
from redis.exceptions import RedisError

from signals_app.confluence import decision as core
from signals_app.confluence.refusals import LiveReason, RefusalReason
from signals_app.market import calendar
from signals_app.models import Decision, Instrument, Strategy, StreamPosition
from signals_app.pipeline.analysis import views_of, windows_of
from signals_app.pipeline.decisions import refused_early
from signals_app.services.rates import LiveRates
from signals_app.services.strategies import NotPossible
from trades_app.models import ShadowPosition
from trades_app.shadow.account import ShadowAccount
from trades_app.shadow.trading import open_trade

log = structlog.get_logger(__name__)

#: A close that could not be followed, where the core has no reason for it.
FAILED = "FAILED"
#: The stream keeps at most so many used ticks for shadows that lag behind.
KEPT_TICKS = 1_000_000
_CLOSES_AT_ONCE = 100


def begin(strategy_id: int) -> Strategy:
    """Let a strategy run in shadow from now on; return it. Raises `NotPossible`.

    Closes decided by now are not followed: one that ran before goes on with its account, not with
    the closes between.
    """
    with transaction.atomic():
        strategy = _turned(strategy_id, Strategy.Status.RETIRED, Strategy.Status.SHADOW)
        for symbol in Instrument.objects.values_list("symbol", flat=True):
            now = _newest_decided(symbol)
            ShadowPosition.objects.update_or_create(
                strategy=strategy,
                instrument=symbol,
                defaults={"began_at": now, "close_time": now, "skipped": {}},
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


def behind() -> int:
    """How many decided closes strategies in shadow have still to follow."""
    following = ShadowPosition.objects.filter(strategy__status=Strategy.Status.SHADOW)
    return sum(
        _after(followed, _decided(symbol)).count()
        for symbol, followed in following.values_list("instrument", "close_time")
    )


def needed_ordinals(symbol: str) -> Iterator[int]:
    """Yield, for each strategy in shadow, the first tick that it may still need.

    That is the entry of the first close that it has not followed, but never further back than
    `KEPT_TICKS`: whoever lags more than that does without.
    """
    following = ShadowPosition.objects.filter(
        instrument=symbol, strategy__status=Strategy.Status.SHADOW
    )
    for followed in following.values_list("close_time", flat=True):
        ahead = _after(followed, Decision.objects.filter(instrument=symbol))
        entered = ahead.exclude(entry_ordinal=None).order_by("close_time_ms")
        for ordinal in entered.values_list("entry_ordinal", flat=True)[:1]:
            used = StreamPosition.objects.get(instrument=symbol).ordinal
            yield max(ordinal or 0, used - KEPT_TICKS)


def _turned(strategy_id: int, before: Strategy.Status, after: Strategy.Status) -> Strategy:
    strategy = Strategy.objects.select_for_update(no_key=True).get(pk=strategy_id)
    if strategy.status != before:
        raise NotPossible(f"{strategy} is {strategy.status}, not {before}.")
    strategy.status = after
    strategy.save(update_fields=("status",))
    return strategy


def _decided(symbol: str) -> "db.QuerySet[Decision]":
    """The closes that the live strategy is done with; its trade need not be open yet."""
    return Decision.objects.filter(instrument=symbol).exclude(outcome=Decision.Outcome.PENDING)


def _after(close: datetime | None, decisions: "db.QuerySet[Decision]") -> "db.QuerySet[Decision]":
    """The closes behind this one; all of them where it is `None`."""
    if close is None:
        return decisions
    return decisions.filter(close_time_ms__gt=calendar.milliseconds(close))


def _newest_decided(symbol: str) -> datetime | None:
    """The end of the newest decided candle, `None` where there is none."""
    newest = _decided(symbol).order_by("-close_time_ms").first()
    return None if newest is None else calendar.utc(newest.close_time_ms)


def _follow_some(strategy: Strategy, symbol: str) -> bool:
    """Follow the next closes, at most up to one that makes a trade; say whether more wait.

    A trade takes the stream's position, which the live path needs: it is given back at once.
    """
    with transaction.atomic():
        position = _locked_position(strategy, symbol)
        ahead = _after(position.close_time, _decided(symbol))
        waiting = list(ahead.order_by("close_time_ms")[:_CLOSES_AT_ONCE])
        if not waiting:
            return False
        row = Instrument.objects.get(symbol=symbol)
        account = ShadowAccount(strategy, strategy.value(), row.value(), row.is_active)
        windows = windows_of(symbol, waiting)
        for decision in waiting:
            early = refused_early(decision, windows[decision.close_time_ms], account.parameters)
            skipped = early.reason.value if early else _attempt(account, decision)
            position.close_time = calendar.utc(decision.close_time_ms)
            if skipped is None:
                break
            position.skipped[skipped] = position.skipped.get(skipped, 0) + 1
        position.save()
    return decision is not waiting[-1] or len(waiting) == _CLOSES_AT_ONCE


def _locked_position(strategy: Strategy, symbol: str) -> ShadowPosition:
    """The strategy's place among the closes; one that has none begins at the present."""
    now = _newest_decided(symbol)
    mine = {"strategy": strategy, "instrument": symbol}
    ShadowPosition.objects.get_or_create(**mine, defaults={"began_at": now, "close_time": now})
    return ShadowPosition.objects.select_for_update().get(**mine)


def _attempt(account: ShadowAccount, decision: Decision) -> str | None:
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


def _follow_close(account: ShadowAccount, decision: Decision) -> str | None:
    """Decide one close and open its trade; return why there is none, `None` where there is."""
    if decision.score is None or decision.entry_ordinal is None:
        return RefusalReason.WARMING_UP.value
    views = views_of(decision.instrument, [decision]).get(decision.close_time_ms)
    if views is None:
        return RefusalReason.WARMING_UP.value
    entry = decision.entry_tick()
    rate = LiveRates(account.instrument).at(decision.close_time_ms)
    made = core.decide(
        account.instrument,
        views,
        entry,
        account.exposure_before(entry),
        account.parameters,
        account.next_number(decision.close_time_ms),
        rate=rate,
    )
    if made.refusal is not None:
        return made.refusal.reason.value
    if not account.is_active:
        return LiveReason.INSTRUMENT_OFF.value
    assert made.signal is not None
    named = f"{made.signal.signal_id}-S{account.strategy.pk}"
    return open_trade(account, replace(made.signal, signal_id=named), entry, rate)
