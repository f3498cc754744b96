"""Trials made by hand."""

import numpy as np

from reports_app.assessment.trial import Trial
from signals_app.confluence.parameters import Parameters

DAY = 86_400_000


def trial(r: np.ndarray, threshold: float = 80.0, *, open_days: float = 0.5) -> Trial:
    """One trade a day."""
    opened = np.arange(len(r), dtype=np.int64) * DAY
    return Trial(
        Parameters(threshold=threshold), opened, opened + round(open_days * DAY), np.asarray(r)
    )


def noise(count: int, seed: int, edge: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(edge, 1.0, count)
