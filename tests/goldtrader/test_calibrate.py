"""manage.py calibrate, on candles in a file and into the database."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from signals_app.market.calendar import iso
from signals_app.models import MeasuredProbability


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
    told = calibrate(file)

    assert "not measured" in told
    assert "ORDER_BLOCK" in told
    assert told.rstrip().endswith("Stored: signals made from now on say what was measured here.")


@pytest.mark.django_db
def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(CommandError, match="no candles of M15, H1 or H4"):
        calibrate()


@pytest.mark.django_db
def test_a_market_that_nobody_trades_here_is_named(file: Path) -> None:
    other = file.rename(file.with_name("AUDNZD_H1.csv"))

    with pytest.raises(CommandError, match=r"holds AUDNZD, which is no instrument here"):
        calibrate(other)
