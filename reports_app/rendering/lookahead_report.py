"""The look-ahead check's verdict in words and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports_app.assessment.lookahead import Cut
from signals_app.market.calendar import iso


def lookahead_verdict(cuts: Sequence[Cut]) -> str:
    """Say what the check found; the last of the cuts is the one that differs, if one does."""
    last = cuts[-1]
    if last.comparison.difference is not None:
        differs = last.comparison.difference
        return (
            f"LOOKAHEAD: something was known before its time. When the file ends at "
            f"{iso(last.ended_ms)}, {differs.what} is {differs.by_then}; with what came after, "
            f"it is {differs.afterwards}."
        )
    after_signals = sum(cut.is_after_signal for cut in cuts)
    compared = {
        name: sum(getattr(cut.comparison, name) for cut in cuts)
        for name in ("signals", "events", "findings")
    }
    verdict = (
        f"No lookahead found: {len(cuts)} copies of the file, each cut off somewhere "
        f"({after_signals} of them just after a signal), said about what was known by then exactly "
        f"what the whole file says. Compared: {compared['signals']:,} signals, "
        f"{compared['events']:,} trade events and {compared['findings']:,} findings."
    )
    warning = _warning(cuts)
    return f"{verdict} {warning}" if warning else verdict


def lookahead_as_json(cuts: Sequence[Cut]) -> dict[str, Any]:
    """The verdict, and each cut with its counts and its difference."""
    return {
        "lookahead": any(cut.comparison.difference for cut in cuts),
        "verdict": lookahead_verdict(cuts),
        "warning": _warning(cuts),
        "cuts": [
            {
                "length": cut.rows,
                "ended": iso(cut.ended_ms),
                "after_signal": cut.is_after_signal,
                **asdict(cut.comparison),
            }
            for cut in cuts
        ],
    }


def _warning(cuts: Sequence[Cut]) -> str | None:
    if any(cut.comparison.signals for cut in cuts):
        return None
    return (
        "But the copies gave no signal, so of signals and trades nothing is proven: give a longer "
        "file, its --history or a lower --set threshold."
    )
