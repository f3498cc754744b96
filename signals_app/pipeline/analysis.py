"""The detectors on the windows that closed, and the score of every close whose views are there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from signals_app.confluence.scoring import Views, best_score
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.models import Analysis, Decision, PriceCandle
from signals_app.pipeline.candles import Close
from signals_app.smc.analysis import (
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
)

#: What one detector found, as it travels between workers: timeframe, end of the last candle,
#: candles in the window, view.
Finding = tuple[str, int, int, dict[str, Any]]
#: A detector's question to one window, and the last candles up to a close.
View = Callable[[Candles], StructureView | GapView | OrderBlockView | LiquidityView]
Window = tuple[Timeframe, int, Candles]


_SCORED_AT_ONCE = 500


def detect(symbol: str, closes: Iterable[Close], view: View) -> list[Finding]:
    """Return one detector's view of the window behind each close."""
    return _findings(_windows(symbol, closes), view)


def detect_all(symbol: str, closes: Iterable[Close], views: Iterable[View]) -> list[list[Finding]]:
    """Return what each detector says, as `detect` does, with the windows read once."""
    windows = list(_windows(symbol, closes))
    return [_findings(windows, view) for view in views]


def _findings(windows: Iterable[Window], view: View) -> list[Finding]:
    return [
        (timeframe, close_ms, len(window), msgspec.to_builtins(view(window)))
        for timeframe, close_ms, window in windows
    ]


def _windows(symbol: str, closes: Iterable[Close]) -> Iterator[Window]:
    """Yield the last closed candles up to each close; one query for a timeframe."""
    unique = sorted({(Timeframe(name), end) for name, end in closes})
    for timeframe, group in groupby(unique, key=lambda close: close[0]):
        ends = [end for _, end in group]
        between = (ends[-1] - ends[0]) // timeframe.milliseconds
        candles = PriceCandle.objects.window(symbol, timeframe, ends[-1], WINDOW + between)
        places = np.searchsorted(candles.time_ms + timeframe.milliseconds, ends, side="right")
        for end, place in zip(ends, places.tolist(), strict=True):
            if place:
                yield timeframe, end, candles.window(place)


def store_findings(
    symbol: str,
    structure: Iterable[Finding],
    gaps: Iterable[Finding],
    order_blocks: Iterable[Finding],
    liquidity: Iterable[Finding],
) -> None:
    """Store the four detectors' views of the same closes as one analysis each; twice is once."""
    parts: dict[Close, dict[str, Any]] = {}
    lengths: dict[Close, int] = {}
    named = {
        "structure": structure,
        "gaps": gaps,
        "order_blocks": order_blocks,
        "liquidity": liquidity,
    }
    for name, findings in named.items():
        for timeframe, close_ms, candles, view in findings:
            lengths[timeframe, close_ms] = candles
            parts.setdefault((timeframe, close_ms), {})[name] = view
    Analysis.objects.bulk_create(
        [
            Analysis(
                symbol=symbol,
                timeframe=close[0],
                close_time_ms=close[1],
                candles=lengths[close],
                view=view,
            )
            for close, view in sorted(parts.items(), key=lambda part: part[0])
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


def score_closes(symbol: str) -> int:
    """Score every open close whose three analyses are stored; return how many were scored.

    A score needs its views and nothing else, so scores may come in any order.
    """
    scored, after_ms = 0, 0
    while decisions := _score_some(symbol, after_ms):
        scored += sum(decision.score is not None for decision in decisions)
        after_ms = decisions[-1].close_time_ms
    return scored


def _score_some(symbol: str, after_ms: int) -> list[Decision]:
    """Score the next open closes behind ``after_ms``; return those looked at, scored or not.

    Closes that another worker has in hand are left to it.
    """
    with transaction.atomic():
        unscored = Decision.objects.open(symbol).filter(score=None, close_time_ms__gt=after_ms)
        decisions = list(unscored.select_for_update(skip_locked=True)[:_SCORED_AT_ONCE])
        views = views_of(symbol, decisions) if decisions else {}
        ready = [decision for decision in decisions if decision.close_time_ms in views]
        for decision in ready:
            best = best_score(views[decision.close_time_ms])
            decision.score = Decimal(repr(best.total)).quantize(Decimal("0.01"))
            decision.direction = best.direction
        Decision.objects.bulk_update(ready, ("score", "direction"), batch_size=500)
    return decisions


def views_of(symbol: str, decisions: Sequence[Decision]) -> dict[int, Views]:
    """Return H4's, H1's and M15's view for each close that has all three; one query for all."""
    wanted = {(Timeframe.M15, d.close_time_ms) for d in decisions}
    wanted |= {(Timeframe.H1, d.h1_close_ms) for d in decisions if d.h1_close_ms is not None}
    wanted |= {(Timeframe.H4, d.h4_close_ms) for d in decisions if d.h4_close_ms is not None}
    condition = Q()
    for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        ends = [end for name, end in wanted if name is timeframe]
        condition |= Q(timeframe=timeframe, close_time_ms__in=ends)
    stored = {
        (timeframe, end): TimeframeView(
            timeframe=Timeframe(timeframe),
            close_time_ms=end,
            candles=candles,
            structure=msgspec.convert(view["structure"], StructureView),
            gaps=msgspec.convert(view["gaps"], GapView),
            order_blocks=msgspec.convert(view["order_blocks"], OrderBlockView),
            liquidity=msgspec.convert(view["liquidity"], LiquidityView),
        )
        for timeframe, end, candles, view in Analysis.objects.filter(
            condition, symbol=symbol
        ).values_list("timeframe", "close_time_ms", "candles", "view")
    }
    found: dict[int, Views] = {}
    for decision in decisions:
        h4 = stored.get((Timeframe.H4, decision.h4_close_ms or 0))
        h1 = stored.get((Timeframe.H1, decision.h1_close_ms or 0))
        m15 = stored.get((Timeframe.M15, decision.close_time_ms))
        if h4 is not None and h1 is not None and m15 is not None:
            found[decision.close_time_ms] = (h4, h1, m15)
    return found


def windows_of(
    symbol: str, decisions: Iterable[Decision]
) -> dict[int, tuple[tuple[Timeframe, int], ...]]:
    """Return how many candles each close is decided on, H4's, H1's and M15's in this order.

    One query for all. A timeframe without any closed candle has 0; one whose analysis is not
    stored yet is left out.
    """
    ends = {
        decision.close_time_ms: (
            (Timeframe.H4, decision.h4_close_ms),
            (Timeframe.H1, decision.h1_close_ms),
            (Timeframe.M15, decision.close_time_ms),
        )
        for decision in decisions
    }
    wanted = {end for windows in ends.values() for _, end in windows if end is not None}
    stored = Analysis.objects.filter(symbol=symbol, close_time_ms__in=wanted)
    lengths: dict[tuple[str, int | None], int] = {
        (timeframe, end): candles
        for timeframe, end, candles in stored.values_list("timeframe", "close_time_ms", "candles")
    }
    return {
        close_ms: tuple(
            (timeframe, 0 if end is None else lengths[timeframe, end])
            for timeframe, end in windows
            if end is None or (timeframe, end) in lengths
        )
        for close_ms, windows in ends.items()
    }


def forgotten_closes(symbol: str, older_than: timedelta) -> list[Close]:
    """Return the closes whose analysis should be stored by now and is not."""
    late = Decision.objects.open(symbol).filter(
        score=None, created_at__lt=timezone.now() - older_than
    )[:_SCORED_AT_ONCE]
    wanted: set[Close] = set()
    for decision in late:
        wanted.add((Timeframe.M15.value, decision.close_time_ms))
        if decision.h1_close_ms is not None:
            wanted.add((Timeframe.H1.value, decision.h1_close_ms))
        if decision.h4_close_ms is not None:
            wanted.add((Timeframe.H4.value, decision.h4_close_ms))
    stored = Analysis.objects.filter(
        symbol=symbol, close_time_ms__in=[end for _, end in wanted]
    ).values_list("timeframe", "close_time_ms")
    return sorted(wanted - set(stored))
