"""`--strategy`: a backtest of what the operator set, and no other."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from signals_app.models import Instrument, Strategy
from signals_app.services.strategies import add_version, change_parameters
from tests.trades_app.shadow.test_following import Pipeline, market, pipeline

__all__ = ("market", "pipeline")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_count_of_variants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def printed(*arguments: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def backtest(pipeline: Pipeline, *arguments: object) -> str:
    files = pipeline.market
    return printed(
        *("backtest", "--symbol", "XAUUSD", "--ticks", files.ticks_file),
        *("--history", files.history_directory, *arguments),
    )


def test_the_live_strategy_makes_what_the_live_system_made(pipeline: Pipeline) -> None:
    change_parameters({"threshold": 70, "slippage_pips": 0.5, "maximum_trade_hours": None})
    Instrument.objects.filter(symbol="XAUUSD").update(starting_balance=25_000)

    pipeline.run()

    live = json.loads(printed("export", "--json"))
    report = json.loads(backtest(pipeline, "--json", "--strategy", "live"))
    assert len(live["trades"]) >= 3
    assert {name: report[name] for name in ("signals", "trades")} == live
    assert report["starting_balance"] == 25_000
    assert json.loads(backtest(pipeline, "--json"))["signals"] != live["signals"]


def test_another_version_is_named_by_its_number_and_may_be_changed(pipeline: Pipeline) -> None:
    add_version({"threshold": 60})

    stored = backtest(pipeline, "--strategy", "2")
    retyped = backtest(pipeline, "--set", "threshold=60")
    changed = backtest(pipeline, "--strategy", "2", "--set", "threshold=80")

    assert "settings: default v2, retired\n" in stored
    assert "settings: the defaults, with threshold=60\n" in retyped
    assert "settings: default v2, retired, with threshold=80\n" in changed
    assert without_settings(stored) == without_settings(retyped) != without_settings(changed)


def without_settings(report: str) -> list[str]:
    changing = ("settings: ", "- 1 setting", "- 2 settings")
    return [line for line in report.splitlines() if not line.startswith(changing)]


def test_an_instrument_that_only_the_database_knows_can_be_run(tmp_path: Path) -> None:
    Instrument.objects.create(
        symbol="XAGUSD",
        pip=0.01,
        contract_size=5000,
        digits=3,
        signal_prefix="XAG",
        default_spread=0.02,
    )
    path = tmp_path / "silver.csv"
    path.write_text("timestamp_ms,bid,ask\n1704672000000,23.1,23.12\n1704672001000,23.1,23.12\n")

    report = printed("backtest", "--symbol", "XAGUSD", "--ticks", path, "--strategy", "live")

    assert report.startswith("XAGUSD, 2024-01-08T00:00:00Z to 2024-01-08T00:00:01Z")


@pytest.mark.parametrize(
    "command", ["backtest", "lookahead_check", "optimise --param threshold=80,81"]
)
def test_a_strategy_that_is_not_there_is_one_sentence(command: str, tmp_path: Path) -> None:
    Strategy.objects.live()
    name, *more = command.split()

    with pytest.raises(CommandError) as refused:
        printed(*(name, "--symbol", "XAUUSD", "--ticks", "x.csv", "--strategy", "7", *more))

    assert str(refused.value) == "There is no strategy '7'; there are 1 (live)."
    assert refused.value.returncode == 2


def test_a_directory_without_a_database_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(CommandError, match="There is no stack's data in") as refused:
        printed(
            *("backtest", "--symbol", "XAUUSD", "--ticks", "x.csv"),
            *("--strategy", "live", "--data-dir", tmp_path),
        )

    assert refused.value.returncode == 2
