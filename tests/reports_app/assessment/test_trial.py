"""The figures of a trial."""

import numpy as np

from reports_app.assessment.trial import figures


def test_figures_of_equal_and_of_no_trades_are_plain() -> None:
    assert figures(np.ones(3)).t == 0.0
    assert figures(np.ones(0)).r is None
    assert figures(np.full(1, 2.5)).r == 2.5
