"""manage.py calibrate, on candles in a file and into the database."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from signals_app.market.calendar import iso
from signals_app.market.candle import Candle, Timeframe
from signals_app.models import Connector, MeasuredProbability, PriceCandle, StreamPosition


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two years of made-up hours."""
    random = np.random.default_rng(3)
    close = 1800 + np.cumsum(random.normal(0, 2, 9000))
    open_ = np.concatenate(([1800.0], close[:-1]))
    high, low = np.maximum(open_, close) + 1, np.minimum(open_, close) - 1
    volume = random.integers(50, 200, 9000)
    rows = ["timestamp,open,high,low,close,volume"]
    for hour, row in enumerate(zip(open_, high, low, close, volume, strict=True)):
        rows.append(
            ",".join(
                (
                    iso(1_600_000_000_000 // 3_600_000 * 3_600_000 + hour * 3_600_000),
                    *(f"{value:.2f}" for value in row),
                )
            )
        )
    path = tmp_path / "XAUUSD_H1_made-up_UTC.csv"
    path.write_text("\n".join(rows))
    return path


def calibrate(*arguments: object) -> str:
    out = StringIO()
    call_command("calibrate", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_what_was_measured_is_printed_and_stored(file: Path) -> None:
    (made,) = json.loads(calibrate(file, "--json"))

    assert (made["symbol"], made["timeframe"], made["candles"]) == ("XAUUSD", "H1", 9000)
    assert (made["stored"], made["not_stored"]) == (True, None)
    stored = list(MeasuredProbability.objects.order_by("pk"))
    assert [(row.event_type, row.n, row.wins, row.p) for row in stored] == [
        (row["event"], row["n"], row["wins"], row["p"]) for row in made["probabilities"]
    ]
    assert sum(row["n"] for row in made["probabilities"]) == made["events"]
    assert {(row["n"] >= 200, row["p"] is not None) for row in made["probabilities"]} == {
        (True, True),
        (False, False),
    }


@pytest.mark.django_db
def test_on_prices_without_memory_nothing_beats_random_entries(file: Path) -> None:
    (made,) = json.loads(calibrate(file, "--json"))

    for row in made["probabilities"]:
        if row["p"] is not None:
            assert abs(row["p"] - row["p0"]) < 0.12


@pytest.mark.django_db
def test_data_after_a_date_can_be_left_out(file: Path) -> None:
    (made,) = json.loads(calibrate(file, "--json", "--until", "2021-01-01"))

    assert made["data_to"] == "2021-01-01T00:00:00Z"


@pytest.mark.django_db
def test_a_trader_reads_a_table(file: Path) -> None:
    printed = calibrate(file)

    assert "not measured" in printed
    assert "ORDER_BLOCK" in printed
    (lowest, *_) = [line for line in printed.splitlines() if line.startswith("ORDER_BLOCK")]
    assert lowest.split()[1:5] == ["FORMED", "bullish", "up", "to"]
    assert printed.rstrip().endswith(
        "Stored, XAUUSD H1: signals made from now on say what was measured here."
    )


@pytest.mark.django_db
def test_a_look_back_in_time_is_stored_only_where_that_is_asked_for(file: Path) -> None:
    (made,) = json.loads(calibrate(file, "--json", "--until", "2021-01-01"))
    printed = calibrate(file, "--until", "2021-01-01")

    assert made["stored"] is False
    assert not MeasuredProbability.objects.exists()
    assert printed.rstrip().endswith(
        "Not stored, XAUUSD H1: a look back in time (--until) says nothing about now; "
        "--store stores it all the same."
    )

    (made,) = json.loads(calibrate(file, "--json", "--until", "2021-01-01", "--store"))
    assert made["stored"] is True
    assert MeasuredProbability.objects.exists()


@pytest.mark.django_db
def test_a_small_file_does_not_replace_what_a_larger_one_says(file: Path) -> None:
    (large,) = json.loads(calibrate(file, "--json"))
    header, *rows = file.read_text().splitlines()
    small = file.with_name("XAUUSD_H1_small_UTC.csv")
    small.write_text("\n".join([header, *rows[-1000:]]))

    (made,) = json.loads(calibrate(small, "--json"))

    assert made["stored"] is False
    assert made["not_stored"] == (
        f"the calibration in use has {large['events']:,} outcomes, this one {made['events']:,}; "
        "--store stores it all the same."
    )
    assert MeasuredProbability.objects.values("made_at").distinct().count() == 1


@pytest.mark.django_db
def test_a_calibration_on_older_data_is_stored_and_said_not_to_be_in_use(file: Path) -> None:
    header, *rows = file.read_text().splitlines()
    newer = file.with_name("XAUUSD_H1_newer_UTC.csv")
    newer.write_text("\n".join([header, *rows[-1000:]]))
    calibrate(newer)

    printed = calibrate(file, "--until", "2021-09-01", "--store")

    assert "Stored, XAUUSD H1, but signals go on saying what newer data say" in printed


@pytest.mark.django_db
def test_made_up_prices_of_a_simulated_feed_are_not_measured() -> None:
    Connector.objects.create(name="paper-simulated", symbols=["XAUUSD"])
    StreamPosition.objects.create(instrument="XAUUSD", seqs={"paper-simulated": 7})
    candles = [
        Candle(1_600_000_000_000 + place * 3_600_000, 10.0, 11.0, 9.0, 10.5, 5.0)
        for place in range(400)
    ]
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.H1, candles, PriceCandle.Source.TICKS)
    )

    with pytest.raises(CommandError, match=r"XAUUSD.*made up by a simulated connector"):
        calibrate()


@pytest.mark.django_db
def test_a_file_that_is_too_short_is_said_to_be(file: Path) -> None:
    file.write_text("\n".join(file.read_text().splitlines()[:251]))

    with pytest.raises(CommandError) as refusal:
        calibrate(file)

    assert str(refusal.value) == f"{file.name} holds 250 candles; at least 300 are needed."


@pytest.mark.django_db
def test_a_short_file_beside_longer_ones_is_left_out_and_named(file: Path) -> None:
    short = file.with_name("XAUUSD_H1_short_UTC.csv")
    short.write_text("\n".join(file.read_text().splitlines()[:251]))

    printed = calibrate(file.parent)

    assert (
        "Left out: XAUUSD_H1_short_UTC.csv holds 250 candles; at least 300 are needed." in printed
    )


@pytest.mark.django_db
def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(CommandError, match="no candles of M15, H1 or H4"):
        calibrate()


@pytest.mark.django_db
def test_a_market_that_nobody_trades_here_is_named(file: Path) -> None:
    other = file.rename(file.with_name("USDNOK_H1.csv"))

    with pytest.raises(CommandError, match=r"holds USDNOK, which is no instrument here"):
        calibrate(other)
