"""`manage.py optimise`: the same answer from processes and from Celery workers."""

import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from celery.contrib.testing.worker import start_worker
from django.core.management import CommandError, call_command

from goldtrader.celery import app
from reports_app.experiments import search
from reports_app.experiments.celery_trials import Workers, by_workers, find_workers
from signals_app.market.candle import Timeframe
from tests.reports_app.management.test_backtest import EAGER, write_candles

RANGES = ["--param", "threshold=50:56:2", "--param", "stop_buffer_atr=0.25,0.5"]


@pytest.fixture(autouse=True)
def own_count_of_variants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def candles_file(tmp_path: Path) -> Path:
    return write_candles(tmp_path / "XAUUSD_M15.csv", Timeframe.M15)


def optimise(path: Path, *arguments: str) -> str:
    out = StringIO()
    call_command(
        "optimise",
        *("--symbol", "XAUUSD", "--candles", str(path), "--folds", "2"),
        *(*RANGES, *EAGER, *arguments),
        stdout=out,
        stderr=StringIO(),
    )
    return out.getvalue()


@pytest.fixture
def worker(redis_client) -> Iterator[None]:
    # A worker on its own finds the tasks itself; in a test somebody may have looked before.
    import_module("reports_app.tasks")
    with start_worker(
        app,
        pool="threads",
        concurrency=2,
        queues=["research"],
        perform_ping_check=False,
        loglevel="ERROR",
    ):
        yield


def test_out_of_sample_comes_first(candles_file: Path) -> None:
    report = optimise(candles_file, "--workers", "local", "--processes", "1")

    lines = [line for line in report.splitlines() if line]
    assert lines[0] == (
        "9 settings tried on 1 process, begun with the defaults, with threshold=55, "
        "warm_up_candles=10."
    )
    assert lines[1].startswith("- Out of sample: chosen each time on the past alone")
    assert "9 settings have been tried on this file" in report


def test_json_says_the_same_from_two_processes_and_from_one(candles_file: Path) -> None:
    one, two = (
        json.loads(optimise(candles_file, "--json", "--workers", "local", "--processes", count))
        for count in "12"
    )

    assert next(iter(one)) == "out_of_sample"
    assert len(one["trials"]) == 9
    assert (one.pop("where"), two.pop("where")) == ("1 process", "2 processes")
    assert one == two


def test_a_stack_s_workers_say_the_same(candles_file: Path, worker: None) -> None:
    local = json.loads(optimise(candles_file, "--json", "--workers", "local", "--processes", "1"))

    assert find_workers(app) == Workers("research", 2)
    spread = json.loads(optimise(candles_file, "--json"))

    assert spread.pop("where") == "2 Celery workers"
    local.pop("where")
    assert spread == local


def test_what_no_worker_brings_is_tried_on_this_machine(
    candles_file: Path, redis_client, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = json.loads(optimise(candles_file, "--json", "--workers", "local", "--processes", "1"))
    monkeypatch.setattr(search, "find_workers", lambda app: Workers("nobody-serves-this", 1))
    monkeypatch.setattr(search, "by_workers", partial(by_workers, lost_after_seconds=0.3))

    spread = json.loads(optimise(candles_file, "--json", "--processes", "1"))

    assert spread.pop("where") == "1 Celery worker and 1 process"
    local.pop("where")
    assert spread == local
    with pytest.raises(CommandError, match="A trial was lost 3 times") as refused:
        optimise(candles_file, "--workers", "celery")
    assert refused.value.returncode == 1


def test_without_a_stack_there_are_no_workers(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert find_workers(app) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--param", "luck=1,2"], "There is no parameter 'luck'"),
        (["--param", "threshold=80:inf:1"], "threshold must be a number, not inf"),
        (["--param", "threshold=80,nan"], "threshold must be a number, not nan"),
        (["--param", "threshold=80:90:nan"], "is neither NAME=LOW:HIGH:STEP nor NAME=A,B,C"),
        (["--param", "threshold=80:90:1e-12"], "1e-12 has too many values"),
        (["--param", "threshold=80:90:1e-320"], "1e-320 has too many values"),
        (["--param", "slippage_pips=-5,0"], "slippage_pips must be from 0 to 1000, not -5"),
        (["--param", "warm_up_candles=50:60:0.5"], "must be a whole number"),
        (["--param", "take_profit_1_r=3,4"], "must not be above take_profit_2_r"),
        (["--seed", "-1"], "'-1' is no whole number from 0 on"),
        (["--param", "threshold=90:80:1"], "is neither NAME=LOW:HIGH:STEP nor NAME=A,B,C"),
        (["--param", "threshold=50:99:0.1"], "combinations; choose among them with --random N"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(
    arguments: list[str], sentence: str, candles_file: Path
) -> None:
    with pytest.raises(CommandError, match=sentence):
        optimise(candles_file, *arguments, "--workers", "local")
