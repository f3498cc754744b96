"""The detectors on the windows that closed, and the score of every close whose views are there.

Each closed candle has one row of `Analysis`, made in the transaction that closed it. Four detector
tasks add what they found, in any order; whoever adds the last part starts the confluence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import msgspec
import numpy as np
from django.db import connection, transaction
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast, Now

from signals_app.confluence.scoring import Views, best_score
from signals_app.market.calendar import milliseconds, utc
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.models import Analysis, Decision, PriceCandle
from signals_app.pipeline.candles import Close
from signals_app.smc.analysis import view_gaps, view_liquidity, view_order_blocks, view_structure
from signals_app.smc.views import (
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
)

#: One detector's view of one window.
View = StructureView | GapView | OrderBlockView | LiquidityView
_SCORED_AT_ONCE = 500
#: What scoring a close reads of its row, and nothing more of it: `checkpoint` is long.
_SCORED_BY = ("close_time_ms", "h1_close_ms", "h4_close_ms", "score", "direction")


class Part(StrEnum):
    """A part of an analysis: what one detector contributes, under its name in the stored view."""

    STRUCTURE = "structure"
    GAPS = "gaps"
    ORDER_BLOCKS = "order_blocks"
    LIQUIDITY = "liquidity"


_DETECTORS: Mapping[Part, Callable[[Candles], View]] = MappingProxyType(
    {
        Part.STRUCTURE: view_structure,
        Part.GAPS: view_gaps,
        Part.ORDER_BLOCKS: view_order_blocks,
        Part.LIQUIDITY: view_liquidity,
    }
)


class _Stored(msgspec.Struct):
    """An analysis as its row holds it; what a calibration adds for people is passed over."""

    structure: StructureView
    gaps: GapView
    order_blocks: OrderBlockView
    liquidity: LiquidityView


def detect(symbol: str, closes: Iterable[Close], part: Part) -> list[Close]:
    """Add one detector's part to the analyses of these closes; return those complete by now.

    A part that is stored already stays as it is, so that running twice changes nothing.
    """
    timeframes: list[str] = []
    ends: list[int] = []
    lengths: list[int] = []
    views: list[str] = []
    for timeframe, end, window in _windows(symbol, closes):
        timeframes.append(timeframe.value)
        ends.append(end)
        lengths.append(len(window))
        views.append(msgspec.json.encode({part.value: _DETECTORS[part](window)}).decode())
    if not ends:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_PART,
            {
                "symbol": symbol,
                "timeframes": timeframes,
                "ends": [utc(end) for end in ends],
                "lengths": lengths,
                "views": views,
                "parts": [each.value for each in Part],
            },
        )
        cursor.nextset()
        return [
            (timeframe, milliseconds(end)) for timeframe, end, is_complete in cursor if is_complete
        ]


# One round trip and no wait for the disk: a part that a crash of the database loses is asked for
# again by the sweep. The rows are locked in one order, since four tasks lock the same ones.
_ADD_PART = """
SET LOCAL synchronous_commit = off;
WITH part AS (
    SELECT * FROM unnest(%(timeframes)s::text[], %(ends)s::timestamptz[], %(lengths)s::int[],
                         %(views)s::jsonb[]) AS part(timeframe, close_time, candles, view)
), held AS (
    SELECT analyses.id FROM analyses JOIN part USING (timeframe, close_time)
    WHERE analyses.instrument = %(symbol)s
    ORDER BY analyses.id
    FOR UPDATE OF analyses
)
UPDATE analyses SET
    view = part.view || analyses.view,
    candles = part.candles,
    completed_at = CASE WHEN (part.view || analyses.view) ?& %(parts)s::text[]
                        THEN coalesce(analyses.completed_at, clock_timestamp()) END
FROM part, held
WHERE analyses.id = held.id
  AND analyses.timeframe = part.timeframe AND analyses.close_time = part.close_time
RETURNING analyses.timeframe, analyses.close_time, analyses.completed_at IS NOT NULL
"""


def _windows(symbol: str, closes: Iterable[Close]) -> Iterator[tuple[Timeframe, int, Candles]]:
    """Yield the last closed candles up to each close; one query for all."""
    ends: dict[Timeframe, list[int]] = {}
    for timeframe, end in sorted({(Timeframe(name), end) for name, end in closes}):
        ends.setdefault(timeframe, []).append(end)
    wanted = {
        timeframe: (of[-1], WINDOW + (of[-1] - of[0]) // timeframe.milliseconds)
        for timeframe, of in ends.items()
    }
    for timeframe, candles in PriceCandle.objects.windows(symbol, wanted).items():
        of = ends[timeframe]
        places = np.searchsorted(candles.time_ms + timeframe.milliseconds, of, side="right")
        for end, place in zip(of, places.tolist(), strict=True):
            if place:
                yield timeframe, end, candles.window(place)


def score_closes(symbol: str) -> int:
    """Score every open close whose three analyses are stored; return how many were scored.

    A score needs its views and nothing else, so scores may come in any order.
    """
    scored, after_ms = 0, 0
    while True:
        decisions = _score_some(symbol, after_ms)
        scored += sum(decision.score is not None for decision in decisions)
        if len(decisions) < _SCORED_AT_ONCE:
            return scored
        after_ms = decisions[-1].close_time_ms


def _score_some(symbol: str, after_ms: int) -> list[Decision]:
    """Score the next open closes behind ``after_ms``; return those looked at, scored or not.

    Closes that another worker has in hand are left to it.
    """
    with transaction.atomic():
        unscored = Decision.objects.open(symbol).filter(score=None, close_time_ms__gt=after_ms)
        locked = unscored.select_for_update(skip_locked=True).only(*_SCORED_BY)
        decisions = list(locked[:_SCORED_AT_ONCE])
        views = views_of(symbol, decisions) if decisions else {}
        ready = [decision for decision in decisions if decision.close_time_ms in views]
        for decision in ready:
            best = best_score(views[decision.close_time_ms])
            decision.score = Decimal(repr(best.total)).quantize(Decimal("0.01"))
            decision.direction = best.direction
        _store_scores(ready)
    return decisions


def _store_scores(decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE_SCORES,
            {
                "ids": [decision.pk for decision in decisions],
                "scores": [decision.score for decision in decisions],
                "directions": [decision.direction for decision in decisions],
            },
        )


# Django's `bulk_update` makes a CASE for each row and column.
# A score that a crash of the database loses is computed again by the sweep, and no decision can be
# kept without it: it is not waited for until it is on disk.
_STORE_SCORES = """
SET LOCAL synchronous_commit = off;
UPDATE decisions SET score = scored.score, direction = scored.direction
FROM unnest(%(ids)s::bigint[], %(scores)s::numeric[], %(directions)s::text[])
    AS scored(id, score, direction)
WHERE decisions.id = scored.id
"""


def views_of(symbol: str, decisions: Sequence[Decision]) -> dict[int, Views]:
    """H4's, H1's and M15's view for each close that has all three; one query for all."""
    wanted = {(Timeframe.M15, d.close_time_ms) for d in decisions}
    wanted |= {(Timeframe.H1, d.h1_close_ms) for d in decisions if d.h1_close_ms is not None}
    wanted |= {(Timeframe.H4, d.h4_close_ms) for d in decisions if d.h4_close_ms is not None}
    condition = Q()
    for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        ends = [end for name, end in wanted if name is timeframe]
        condition |= Q(timeframe=timeframe, close_time_ms__in=ends)
    complete = Analysis.objects.filter(condition, instrument=symbol, completed_at__isnull=False)
    # As text: decoded straight into the views, in a fifth of the time.
    rows = complete.values_list("timeframe", "close_time_ms", "candles", Cast("view", TextField()))
    stored = {
        (timeframe, end): _timeframe_view(Timeframe(timeframe), end, candles, view)
        for timeframe, end, candles, view in rows
    }
    found: dict[int, Views] = {}
    for decision in decisions:
        h4 = stored.get((Timeframe.H4, decision.h4_close_ms or 0))
        h1 = stored.get((Timeframe.H1, decision.h1_close_ms or 0))
        m15 = stored.get((Timeframe.M15, decision.close_time_ms))
        if h4 is not None and h1 is not None and m15 is not None:
            found[decision.close_time_ms] = (h4, h1, m15)
    return found


def stored_view(symbol: str, timeframe: Timeframe, close_time_ms: int) -> TimeframeView | None:
    """What was found at one close; `None` where that is not stored, or not complete yet."""
    rows = Analysis.objects.filter(
        instrument=symbol,
        timeframe=timeframe,
        close_time_ms=close_time_ms,
        completed_at__isnull=False,
    )
    found = rows.values_list("candles", Cast("view", TextField())).first()
    return None if found is None else _timeframe_view(timeframe, close_time_ms, *found)


def _timeframe_view(
    timeframe: Timeframe, close_time_ms: int, candles: int, view: str
) -> TimeframeView:
    stored = msgspec.json.decode(view, type=_Stored)
    return TimeframeView(
        timeframe=timeframe,
        close_time_ms=close_time_ms,
        candles=candles,
        structure=stored.structure,
        gaps=stored.gaps,
        order_blocks=stored.order_blocks,
        liquidity=stored.liquidity,
    )


def windows_of(
    symbol: str, decisions: Iterable[Decision]
) -> dict[int, tuple[tuple[Timeframe, int], ...]]:
    """How many candles each close is decided on, H4's, H1's and M15's in this order.

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
    stored = Analysis.objects.filter(
        instrument=symbol, close_time_ms__in=wanted, completed_at__isnull=False
    )
    lengths: dict[tuple[str, int | None], int] = {
        (one.timeframe, one.close_time_ms): one.candles
        for one in stored.only("timeframe", "close_time_ms", "candles")
    }
    return {
        close_ms: tuple(
            (timeframe, 0 if end is None else lengths[timeframe, end])
            for timeframe, end in windows
            if end is None or (timeframe, end) in lengths
        )
        for close_ms, windows in ends.items()
    }


def claim_overdue(symbol: str) -> list[Close]:
    """Claim the closes whose analysis should be complete by now; the caller asks for them again.

    One that is claimed is due again when its age has doubled: tasks that only wait in a long queue
    are not sent again and again.
    """
    with transaction.atomic():
        overdue = Analysis.objects.filter(instrument=symbol, completed_at=None, due_at__lt=Now())
        claimed = list(overdue.select_for_update(skip_locked=True).order_by("pk")[:_SCORED_AT_ONCE])
        Analysis.objects.filter(pk__in=[one.pk for one in claimed]).update(
            due_at=Now() + (Now() - F("created_at"))
        )
    return [(one.timeframe, one.close_time_ms) for one in claimed]
