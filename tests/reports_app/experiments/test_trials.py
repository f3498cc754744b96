"""Trials: what a process that has tried before says of a file that changed since."""

from pathlib import Path

import pytest

from reports_app.backtest.market_files import BadInput
from reports_app.experiments.trials import plain_market, plain_parameters, run_trial
from signals_app.confluence.parameters import Parameters
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import DEFAULT_INSTRUMENTS
from tests.reports_app.management.test_backtest import write_candles

EAGER = plain_parameters(Parameters(threshold=55.0, warm_up_candles=10))


def arguments(path: Path, history: Path | None = None) -> dict[str, object]:
    return {
        "instrument": DEFAULT_INSTRUMENTS[0],
        "ticks": None,
        "candles": path,
        "history": history,
        "source_timezone": "utc",
        "begin_ms": None,
        "end_ms": None,
    }


def halve(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)
    whole = run_trial(plain_market(arguments(path)), EAGER)

    halve(path)

    half = run_trial(plain_market(arguments(path)), EAGER)
    assert 0 < len(half) < len(whole)
    assert half[:-1] == whole[: len(half) - 1]


def test_a_history_that_changed_is_read_again(tmp_path: Path) -> None:
    for timeframe in (Timeframe.M15, Timeframe.H1, Timeframe.H4):
        write_candles(tmp_path / f"XAUUSD_{timeframe}.csv", timeframe)
    path = write_candles(tmp_path / "later.csv", Timeframe.M15)
    path.write_text(path.read_text().replace("2024-01-0", "2024-02-0"))
    before = plain_market(arguments(path, tmp_path))

    halve(tmp_path / "XAUUSD_H4.csv")

    assert plain_market(arguments(path, tmp_path)) != before


def test_a_file_that_changes_during_a_search_ends_it(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)
    market = plain_market(arguments(path))
    run_trial(market, EAGER)

    halve(path)

    with pytest.raises(BadInput, match="A file changed while settings were tried on it"):
        run_trial(market, EAGER)
