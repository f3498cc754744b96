"""The page of manage.py smc, on a window drawn by hand."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from signals_app.management.smc_page import SmcPage, sample_note
from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.probability.estimate import Bucket, EventType, MeasuredEventKind, Probability
from signals_app.services.probabilities import FindingProbabilities
from signals_app.smc.analysis import analyse
from signals_app.smc.measures import Bias

QUARTER_MS = 900_000
#: The third candle leaves a bullish gap above the first.
GAP = Candles.of(
    (
        Candle(0, 10.2, 10.8, 10.0, 10.6, 100.0),
        Candle(QUARTER_MS, 10.6, 12.0, 10.5, 11.9, 100.0),
        Candle(2 * QUARTER_MS, 11.9, 12.6, 11.3, 12.4, 100.0),
    )
)
PAGE = SmcPage("XAUUSD", Timeframe.M15, GAP, analyse(GAP), FindingProbabilities(), "No note.")
GAPS = Probability(
    Bucket(EventType.FVG, MeasuredEventKind.RETEST, Bias.BULLISH, 1),
    *(None, None, 900, 369),
    *(0.43, 0.41, 0.38, 0.44),
    *(0.42, 3600),
)


def printed(page: SmcPage) -> list[str]:
    out = io.StringIO()
    page.print_on(Console(file=out, width=20))
    return [line.strip() for line in out.getvalue().splitlines()]


def test_it_begins_with_the_trend_and_ends_with_the_note() -> None:
    lines = printed(PAGE)

    assert lines[:3] == [
        "XAUUSD M15: 3 candles, 1970-01-01T00:30:00Z closed at 12.40",
        (
            "trend none (strength 0 of 100), position in the dealing range: no dealing range "
            "(0 low, 1 high)"
        ),
        "found: 0 swings, 1 fair value gaps, 0 order blocks, 0 breaks, 0 pools, 0 sweeps",
    ]
    assert lines[-1] == "No note."


@pytest.mark.parametrize(
    ("known", "cells"),
    [
        (FindingProbabilities(), ["not measured", "", ""]),
        (FindingProbabilities((GAPS,)), ["41% [38-44]", "900", "43%"]),
        (FindingProbabilities((replace(GAPS, p0=None),)), ["41% [38-44]", "900", "-"]),
    ],
)
def test_a_finding_stands_beside_its_probability(
    known: FindingProbabilities, cells: list[str]
) -> None:
    (row,) = [line for line in printed(replace(PAGE, probabilities=known)) if "bullish" in line]

    assert [cell.strip() for cell in row.split("│")[1:-1]][1:4] == ["bullish", "10.80", "11.30"]
    assert [cell.strip() for cell in row.split("│")[-4:-1]] == cells


def test_prices_of_an_unknown_symbol_have_five_decimals() -> None:
    assert "closed at 12.40000" in printed(replace(PAGE, symbol="AUDNZD"))[0]


def test_the_note_says_until_when_was_measured_or_that_nothing_was() -> None:
    until = datetime(2023, 12, 31, tzinfo=UTC)

    assert sample_note(FindingProbabilities(data_to=until), "XAUUSD", Timeframe.M15).startswith(
        "Probabilities, measured on data until 2023-12-31: how often +1 R came before -1 R"
    )
    assert sample_note(FindingProbabilities(), "XAUUSD", Timeframe.M15) == (
        "Probabilities are not measured: no calibration of XAUUSD M15 is on data that ended before "
        "the last candle."
    )
