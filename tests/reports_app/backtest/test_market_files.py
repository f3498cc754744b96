"""Markets of files: how far a run has come."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from reports_app.backtest.market_files import BadInput, fingerprints, open_market
from signals_app.confluence.parameters import Parameters
from signals_app.market.built_in import BUILT_IN
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


def candles(path: Path) -> Path:
    rows = [f"2024-01-{day:02d}T{h:02d}:00:00Z,1,1,1,1,1" for day in range(2, 6) for h in range(24)]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    return path


def test_a_cross_needs_the_candles_of_its_pair(tmp_path: Path) -> None:
    rows = [f"{t.time_ms},{t.bid},{t.ask}" for t in wandering_ticks(days=1, seconds=600)]
    ticks = tmp_path / "ticks.csv"
    ticks.write_text("\n".join(["timestamp_ms,bid,ask", *rows]))
    gold = BUILT_IN["XAUEUR"]
    needed = "XAUEUR is quoted in EUR: give candles of EURUSD, from a week before the file on, with"

    with pytest.raises(BadInput, match=rf"^{needed} --rates\.$"):
        open_market(instrument=gold, ticks=ticks)
    with pytest.raises(BadInput, match=rf"^{needed} --rates; .* no candles named like EURUSD"):
        open_market(instrument=gold, ticks=ticks, rates=tmp_path)
    with pytest.raises(BadInput, match="XAUEUR is new: say in the admin what it is quoted in"):
        open_market(instrument=replace(gold, quote_currency=""), ticks=ticks)

    file = candles(tmp_path / "EURUSD_H1.csv")
    market = open_market(instrument=gold, ticks=ticks, rates=file)
    assert market.rates.at(1_704_412_800_000 + 5) == 1
    assert market.assumed.endswith(
        "; money is exchanged by EURUSD_H1.csv, at the last price before each UTC day"
    )
    assert set(fingerprints(ticks, None, file, gold)) == {str(ticks), str(file)}
    assert set(fingerprints(ticks, None, None, BUILT_IN["XAUUSD"])) == {str(ticks)}
