"""Bands of scores, and what is said of them."""

from reports_app.backtest.reliability import Scored, reliability


def outcomes(score: float, won: int, lost: int, random: float = 0.5) -> list[Scored]:
    wins = round(40 * random)
    return [
        Scored(score, 0, place < won, wins, 40, 1.0 if place < won else -1.0)
        for place in range(won + lost)
    ]


def test_a_band_counts_its_wins_beside_random_entries() -> None:
    found = reliability(outcomes(85.0, 30, 10) + outcomes(100.0, 1, 0), threshold=80.0)

    band = found.bands[3]
    assert (band.from_score, band.to_score, band.n, band.wins) == (80.0, 90.0, 40, 30)
    assert (band.share, band.random_share, band.mean_r) == (0.75, 0.5, 0.5)
    assert found.bands[4].n == 1
    assert found.bands[0].share is None


def test_higher_scores_that_did_better_are_said_to() -> None:
    found = reliability(outcomes(55.0, 100, 100) + outcomes(85.0, 140, 60), threshold=80.0)

    assert found.verdicts == (
        (
            "Did higher scores do better? Yes: scores from 80 on won 70.0% of 200, lower ones "
            "50.0% of 200."
        ),
        (
            "Did scores from 80 on do better than random entries of the same direction, hour and "
            "distance? Yes: 70.0% of 200 against 50.0%."
        ),
    )


def test_higher_scores_that_did_no_better_are_said_not_to() -> None:
    found = reliability(outcomes(55.0, 105, 95) + outcomes(85.0, 100, 100), threshold=80.0)

    assert all("No difference that chance would not make as well" in v for v in found.verdicts)


def test_higher_scores_that_did_worse_are_said_to() -> None:
    found = reliability(outcomes(55.0, 140, 60) + outcomes(85.0, 60, 140), threshold=80.0)

    assert [verdict.split("? ")[1].split(":")[0] for verdict in found.verdicts] == [
        "No, worse",
        "No, worse",
    ]


def test_of_few_outcomes_nothing_is_said() -> None:
    found = reliability(outcomes(85.0, 10, 10), threshold=80.0)

    assert found.verdicts == (
        "Higher against lower scores: too few outcomes to say.",
        "Against random entries: too few outcomes to say.",
    )
