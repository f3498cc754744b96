"""`manage.py reliability`: the answer comes whatever becomes of the picture."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from reports_app.assessment import reliability_study
from reports_app.assessment.scored_outcomes import ScoredOutcome
from reports_app.management.commands import reliability as command
from signals_app.market.calendar import iso
from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.models import Connector, PriceCandle, StreamPosition
from signals_app.services.strategies import change_parameters
from tests.trades_app.rows import numbered, stored_signal, stored_trade

#: 2 January 2024, a Tuesday.
START_MS = 1_704_153_600_000
QUARTER_MS = 900_000
SPAN_MS = 48 * QUARTER_MS


def candles(count: int) -> list[Candle]:
    """Return quarters that go up and down by a random walk."""
    close = 2000 + np.cumsum(np.random.default_rng(5).normal(0, 1, count))
    return [
        Candle(START_MS + place * QUARTER_MS, end - 0.5, end + 1.0, end - 1.0, end, 50.0)
        for place, end in enumerate(close.round(2).tolist())
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "XAUUSD_M15_made-up_UTC.csv", candles(400))


def written(path: Path, rows: list[Candle]) -> Path:
    lines = ["timestamp,open,high,low,close,volume"]
    for one in rows:
        prices = (one.open, one.high, one.low, one.close)
        lines.append(",".join((iso(one.time_ms), *(f"{price:.2f}" for price in prices), "50")))
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the engine find 40 lower and 40 higher scores; return the thresholds it was given."""
    asked: list[float] = []

    def score_outcomes(instrument, parameters, candles, spread, **_):
        asked.append(parameters.threshold)
        return [
            ScoredOutcome(
                score=score,
                direction=Direction.BUY,
                time_ms=place * SPAN_MS,
                over_ms=(place + 1) * SPAN_MS,
                won=place < 20,
                random_wins=20,
                random_n=40,
                r_multiple=0.5,
            )
            for score in (55.0, 82.0)
            for place in range(40)
        ]

    monkeypatch.setattr(reliability_study, "score_outcomes", score_outcomes)
    return asked


def reliability(*arguments: object) -> str:
    out = StringIO()
    call_command("reliability", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_answer_comes_before_its_table_and_each_band_has_a_sentence(
    file: Path, scored: list[float]
) -> None:
    report = reliability(file).splitlines()

    assert report[0] == "XAUUSD, scored by the defaults"
    assert report[3].startswith("Did higher scores do better? Too few outcomes to say: ")
    sentences = [line.removeprefix("- ") for line in report if line.startswith("- Scores")]
    assert sentences[0] == (
        "Scores 50-60 won 50.0% of 40. Random entries won 50.0%: too few to say (only a "
        "difference from about 15 points on would show)."
    )
    assert sentences[1] == "Scores 60-70: 0 outcomes, too few to say anything."
    assert len(sentences) == 5


def test_the_engine_scores_candles_of_a_file(file: Path) -> None:
    report = json.loads(reliability(file, "--json"))

    assert (report["symbol"], report["settings"], report["threshold"]) == (
        "XAUUSD",
        "the defaults",
        80.0,
    )
    assert report["live"] is None
    assert [band["from_score"] for band in report["bands"]] == [50.0, 60.0, 70.0, 80.0, 90.0]


def test_a_picture_is_drawn(file: Path, tmp_path: Path, scored: list[float]) -> None:
    reliability(file, "--png", tmp_path / "bands.png")

    assert (tmp_path / "bands.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_has_no_place_is_refused_before_the_work(
    file: Path, tmp_path: Path, scored: list[float]
) -> None:
    with pytest.raises(CommandError, match=r"there is no directory .*nodir; make it first"):
        reliability(file, "--png", tmp_path / "nodir" / "x.png")
    assert scored == []


def test_a_picture_that_cannot_be_written_does_not_cost_the_answer(
    file: Path, tmp_path: Path, scored: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(command, "write_reliability_png", full)
    out = StringIO()

    with pytest.raises(CommandError, match="picture cannot be written: No space left"):
        call_command("reliability", str(file), "--json", "--png", str(tmp_path / "x"), stdout=out)
    assert json.loads(out.getvalue())["symbol"] == "XAUUSD"


def test_a_day_that_is_none_is_one_sentence(file: Path) -> None:
    with pytest.raises(CommandError, match="'2013-13-01' is no day like 2013-01-31"):
        reliability(file, "--from", "2013-13-01")


def test_a_file_that_is_too_short_is_said_to_be(tmp_path: Path) -> None:
    short = written(tmp_path / "XAUUSD_M15_UTC.csv", candles(250))

    with pytest.raises(CommandError) as refusal:
        reliability(short)

    assert str(refusal.value) == f"{short.name} holds 250 candles; at least 300 are needed."


@pytest.mark.django_db
def test_the_strategy_in_use_is_judged_by_its_own_threshold(
    file: Path, scored: list[float]
) -> None:
    change_parameters({"threshold": 85})

    report = json.loads(reliability(file, "--strategy", "live", "--json"))

    assert scored == [85.0]
    assert (report["settings"], report["threshold"]) == ("default v2, live", 85.0)
    assert "0 from 85 on" in report["verdicts"][0]


@pytest.mark.django_db
def test_without_files_the_databases_history_is_scored(scored: list[float]) -> None:
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.M15, candles(400), PriceCandle.Source.HISTORY)
    )

    report = reliability()

    assert "scored by default v1, live" in report
    assert "the database's XAUUSD M15: 400 candles, 2024-01-02T00:00:00Z to" in report
    assert "What the live signals really did" not in report


@pytest.mark.django_db
def test_stored_hours_fill_the_windows_before_the_first_quarter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = [replace(one, time_ms=one.time_ms - 400 * 3_600_000) for one in candles(60)]
    for timeframe, rows in ((Timeframe.M15, candles(400)), (Timeframe.H1, hours)):
        PriceCandle.objects.bulk_create(
            PriceCandle.of("XAUUSD", timeframe, rows, PriceCandle.Source.HISTORY)
        )
    given: dict[Timeframe, int] = {}

    def score_outcomes(
        *_: object, history: dict[Timeframe, Candles], **__: object
    ) -> list[ScoredOutcome]:
        given.update({timeframe: len(found) for timeframe, found in history.items()})
        return []

    monkeypatch.setattr(reliability_study, "score_outcomes", score_outcomes)

    reliability()

    assert given == {Timeframe.H1: 60, Timeframe.H4: 0}


@pytest.mark.django_db
def test_the_live_record_says_what_its_signals_really_did() -> None:
    stored_trade(numbered(1), 2035.0)
    stored_trade(numbered(2))
    stored_signal(numbered(3))

    report = json.loads(reliability("--json"))

    (band,) = report["live"]["bands"]
    assert (band["from_score"], band["told"], band["closed"], band["wins"]) == (80.0, 2, 1, 0)
    assert "too few to say anything" in report["live"]["verdict"]
    assert report["data"] == [
        "the database's XAUUSD M15 holds 0 candles; at least 300 are needed.",
    ]
    assert "made money" in reliability()
    assert json.loads(reliability("--json", "--symbol", "xauusd")) == report


@pytest.mark.django_db
def test_the_live_record_is_that_of_the_span() -> None:
    stored_trade(numbered(1), 2035.0)

    with pytest.raises(CommandError, match="holds 0 candles"):
        reliability("--from", "2024-02-01")


@pytest.mark.django_db
def test_a_simulated_feed_is_named_before_anything_else() -> None:
    Connector.objects.create(name="paper-simulated", symbols=["XAUUSD"])
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"paper-simulated": 7})
    stored_trade(numbered(1), 2035.0)

    assert reliability().startswith("SIMULATED FEED")


@pytest.mark.django_db
def test_beside_real_candles_only_the_made_up_record_is_named(
    file: Path, scored: list[float]
) -> None:
    Connector.objects.create(name="paper-simulated", symbols=["XAUUSD"])
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"paper-simulated": 7})
    stored_trade(numbered(1), 2035.0)

    report = reliability(file, "--strategy", "live").splitlines()

    marked = next(place for place, line in enumerate(report) if line.startswith("SIMULATED FEED"))
    assert report[marked + 1] == "What the live signals really did:"
    assert sum(line.startswith("SIMULATED") for line in report) == 1
