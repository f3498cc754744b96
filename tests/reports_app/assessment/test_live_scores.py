"""The live record by band of score."""

from reports_app.assessment.live_scores import LiveBand, LiveSignal, live_scores
from signals_app.probability.estimate import wilson


def test_a_band_of_the_record_counts_signals_trades_over_and_those_that_made_money() -> None:
    signals = [
        LiveSignal(82.0, 1.5),
        LiveSignal(88.5, -1.0),
        LiveSignal(81.0, None),
        LiveSignal(100.0, 0.0),
    ]

    found = live_scores(signals)

    assert found.bands == (
        LiveBand(80.0, 90.0, 3, 2, 1, *wilson(1, 2), 0.25),
        LiveBand(90.0, 100.0, 1, 1, 0, *wilson(0, 1), 0.0),
    )
    assert found.verdict == (
        "The live record: +0.17 R a trade over 3 trades, too few to say anything."
    )


def test_a_record_that_made_nothing_out_of_the_ordinary_is_said_to() -> None:
    found = live_scores([LiveSignal(85.0, 1.0)] * 26 + [LiveSignal(85.0, -1.0)] * 24)

    assert found.verdict == (
        "The live record: +0.04 R a trade over 50 trades, which cannot be told from nothing: "
        "chance alone reaches 0.28 R either way."
    )


def test_a_record_that_lost_money_is_said_to() -> None:
    found = live_scores([LiveSignal(85.0, 1.0)] * 10 + [LiveSignal(85.0, -1.0)] * 40)

    assert found.verdict == "The live record lost money: -0.60 R a trade over 50 trades, +-0.22."


def test_a_record_without_closed_trades_says_nothing() -> None:
    found = live_scores([LiveSignal(85.0, None)])

    assert found.verdict == "The live record has no trade yet that is over."
    assert (found.bands[0].closed, found.bands[0].mean_r) == (0, None)
