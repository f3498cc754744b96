"""Which history is measured, by a command line's words."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from reports_app.experiments.calibration_run import HistoryChoice
from reports_app.management.history_arguments import add_history_arguments, history_choice
from signals_app.importers.candle_files import MarketFileError
from signals_app.importers.candle_series import CandlePath
from signals_app.market.candle import Timeframe


def choice(*words: object) -> HistoryChoice:
    parser = ArgumentParser()
    add_history_arguments(parser)
    return history_choice(vars(parser.parse_args(list(map(str, words)))))


def test_without_files_the_database_is_measured() -> None:
    assert choice("--symbol", "XAUUSD", "--until", "2024-01-01") == HistoryChoice(
        None, "XAUUSD", None, 1_704_067_200_000
    )


def test_files_say_by_their_names_what_they_hold(tmp_path: Path) -> None:
    for name in ("XAUUSD_H1_UTC.csv", "XAUUSD_M15.csv", "notes.csv"):
        (tmp_path / name).touch()

    assert choice(tmp_path, "--timeframe", "M15", "--source-timezone", "server-eu").paths == [
        CandlePath(tmp_path / "XAUUSD_M15.csv", "XAUUSD", Timeframe.M15, "server-eu")
    ]


def test_a_file_that_says_too_little_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gold.csv").touch()

    with pytest.raises(MarketFileError, match="give --symbol and --timeframe"):
        choice(tmp_path / "gold.csv")
