"""A calibration as tables and as JSON, and what is said about storing it."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from reports_app.rendering.calibration_report import (
    WIDTH,
    CalibrationReport,
    calibration_as_json,
    print_calibrations,
)
from signals_app.market.candle import Timeframe
from signals_app.probability.calibration import Calibration
from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind, Probability
from signals_app.probability.fitting import Band, WalkForward
from signals_app.services.calibration import CalibrationInUse, StoreOutcome, StoreResult
from signals_app.smc.measures import Bias
from tests.signals_app.probability.examples import GAPS

FEW = Probability(
    Bucket(EventType.SWEEP, MeasuredEventKind.WEEK, Bias.BULLISH, 2),
    *(0.5, 0.7, 40, 20),
    *(0.5, None, None, None),
    *(None, 0),
)
FOUND = Calibration(
    symbol="XAUUSD",
    timeframe=Timeframe.H1,
    runs=("gold.csv: 9,000 candles, 1970-01-01T00:00:00Z to 2023-12-31T23:00:00Z",),
    candles=9000,
    events=940,
    from_ms=0,
    to_ms=1_704_067_200_000,
    probabilities=(GAPS, FEW),
    forward=WalkForward(500, 0.24, 0.25, (Band(250, 0.4, 0.39), Band(250, 0.5, 0.52))),
)
BEFORE = CalibrationInUse(1200, datetime(2023, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (
            StoreOutcome.IN_USE,
            "Stored, XAUUSD H1: signals made from now on say what was measured here.",
        ),
        (
            StoreOutcome.NOT_IN_USE,
            "Stored, XAUUSD H1, but signals go on saying what newer data say.",
        ),
        (
            StoreOutcome.LOOK_BACK,
            (
                "Not stored, XAUUSD H1: a look back in time (--until) says nothing about now; "
                "--store stores it all the same."
            ),
        ),
        (
            StoreOutcome.FEWER_OUTCOMES,
            (
                "Not stored, XAUUSD H1: the calibration in use has 1,200 outcomes, this one 940; "
                "--store stores it all the same."
            ),
        ),
    ],
)
def test_the_last_line_says_whether_it_was_stored(outcome: StoreOutcome, sentence: str) -> None:
    report = CalibrationReport.of(FOUND, StoreResult(outcome, BEFORE))

    assert printed([report]).splitlines()[-1] == sentence


def test_a_table_has_a_row_for_each_bucket_and_says_what_was_not_measured() -> None:
    lines = printed([CalibrationReport(FOUND, is_stored=False, storing=": no database")])

    assert "XAUUSD H1: 940 outcomes in 9,000 candles\n  gold.csv: 9,000 candles" in lines
    gaps, few = (
        " ".join(line.split()) for line in lines.splitlines() if line.startswith(("FVG", "SWEEP"))
    )
    assert gaps == "FVG RETEST bearish up to 70 900 369 41.0% 38-44 43.0% 42.0% -2.0"
    assert few == "SWEEP WEEK bullish above 0.5 up to 0.7 40 20 not measured 50.0% -"
    assert (
        "Walk-forward, each year by those before it, 500 events: better than random entries' "
        "rates (squared error 0.2400 against 0.2500). By thirds: 40.0 % foretold, 39.0 % "
        "happened; 50.0 % foretold, 52.0 % happened."
    ) in lines


def test_markets_that_share_a_sentence_share_a_line() -> None:
    reports = [CalibrationReport(FOUND, is_stored=False, storing=": no database")] * 2

    text = printed(reports, ["x.csv holds 3 candles; at least 300 are needed."])

    assert text.splitlines()[-2:] == [
        "Left out: x.csv holds 3 candles; at least 300 are needed.",
        "Not stored, XAUUSD H1, XAUUSD H1: no database",
    ]


def test_json_has_every_figure_and_why_it_was_not_stored() -> None:
    found = calibration_as_json(CalibrationReport(FOUND, is_stored=False, storing=": no database"))

    assert (found["stored"], found["not_stored"]) == (False, "no database")
    assert (found["data_from"], found["data_to"]) == (
        "1970-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z",
    )
    assert found["probabilities"][0] == {
        "event": "FVG",
        "kind": "RETEST",
        "direction": "bearish",
        "tercile": 1,
        "score_above": None,
        "score_to": 70.0,
        "n": 900,
        "wins": 369,
        "p0": 0.43,
        "p": 0.41,
        "low": 0.38,
        "high": 0.44,
        "placebo": 0.42,
        "placebo_n": 3600,
    }
    assert found["walk_forward"]["bands"][1] == {"n": 250, "foretold": 0.5, "happened": 0.52}


def printed(reports: list[CalibrationReport], left_out: list[str] | None = None) -> str:
    out = io.StringIO()
    print_calibrations(Console(file=out, highlight=False, width=WIDTH), reports, left_out or [])
    return out.getvalue()


def test_notes_stand_below_what_was_left_out() -> None:
    out = io.StringIO()
    console = Console(file=out, width=WIDTH)
    print_calibrations(console, (), ("a.csv is short.",), ("b.csv is odd.",))
    lines = out.getvalue().splitlines()
    assert lines[-2:] == ["Left out: a.csv is short.", "b.csv is odd."]
