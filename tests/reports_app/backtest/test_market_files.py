"""Markets of files: how far a run has come."""

import gzip
from pathlib import Path

import pytest

from reports_app.backtest.market_files import open_market
from signals_app.confluence.parameters import Parameters
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.reports_app.backtest.markets import wandering_ticks


@pytest.mark.parametrize("form", ["plain", "packed", "utf-16"])
def test_the_share_of_ticks_done_is_told_by_the_bytes_read(form: str, tmp_path: Path) -> None:
    rows = [f"{t.time_ms},{t.bid},{t.ask}" for t in wandering_ticks(days=5, seconds=5)]
    raw = "\n".join(["timestamp_ms,bid,ask", *rows]).encode(
        "utf-16" if form == "utf-16" else "utf-8"
    )
    path = tmp_path / "ticks.csv"
    path.write_bytes(gzip.compress(raw) if form == "packed" else raw)
    steps: list[tuple[int, int, str]] = []

    market = open_market(instrument=DEFAULT_INSTRUMENTS[0], ticks=path)
    market.run(Parameters(), lambda *step: steps.append(step))

    size = path.stat().st_size
    done = [step[0] for step in steps]
    assert {step[1] for step in steps} == {size}
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, size)
    assert any(0.2 * size < each < 0.9 * size for each in done)
    assert steps[-1][2] == "86,400 ticks, 2024-01-12 23:59"
