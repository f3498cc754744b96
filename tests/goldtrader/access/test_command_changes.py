"""Whatever a command changes is in the audit, as the act of the machine's account."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands

from signals_app.actor import Actor, Door, acting
from signals_app.models import AuditEntry, Strategy
from tests.paths import ROOT

pytestmark = pytest.mark.django_db

OURS = ("goldtrader", "signals_app", "trades_app", "reports_app")
#: Commands that change nothing that is stored.
READING = {
    "backtest",
    "candles",
    "export",
    "lookahead_check",
    "optimise",
    "preview_message",
    "reliability",
    "smc",
    "verify_record",
}
#: Servers, whose doors say for themselves who acts.
SERVERS = {"gateway", "stack"}
#: Commands that change something, and where that is shown if not below.
ELSEWHERE = {
    "calibrate": "tests/goldtrader/management/test_calibrate.py",
    "connector_config": "tests/goldtrader/management/test_connector_config.py",
    "telegram_token": "tests/trades_app",
}


def import_candles(directory: Path) -> None:
    file = directory / "XAUUSD_H1.csv"
    rows = "".join(f"2024-01-05T{hour:02}:00:00Z,1,2,1,2,5\n" for hour in range(3))
    file.write_text(f"time,open,high,low,close,volume\n{rows}")
    call_command("import_history", str(file), symbol="XAUUSD", timeframe="H1", stdout=StringIO())


def run(*words: str) -> Callable[[Path], object]:
    return lambda _: call_command(*words, stdout=StringIO(), stderr=StringIO())


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "api_key": (run("api_key", "desk", "--scope", "admin"), "created"),
    "connector_token": (run("connector_token", "mt5", "--symbols", "XAUUSD"), "token given"),
    "shadow": (run("shadow", "--try", "threshold=85"), "created"),
    "recompute_performance": (run("recompute_performance"), "computed again"),
    "import_history": (import_candles, "imported"),
    # Django's own.
    "createsuperuser": (
        run("createsuperuser", "--noinput", "--username", "bob", "--email", ""),
        "created",
    ),
    "changepassword": (run("changepassword", "alice"), "changed"),
}


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    Strategy.objects.live()
    User.objects.create_user("alice", password="of the past 1")
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "correct horse battery")
    monkeypatch.setenv("DATABASE_URL", "the test's own")


def test_every_command_is_known_here() -> None:
    ours = {name for name, app in get_commands().items() if app in OURS}
    assert ours == {*READING, *SERVERS, *ELSEWHERE, *CHANGES} & ours
    assert ours >= {*READING, *SERVERS, *ELSEWHERE}
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_a_command_changes_is_in_the_audit(name: str, tmp_path: Path) -> None:
    change, action = CHANGES[name]
    before = AuditEntry.objects.order_by("pk").last()

    with acting(Actor(Door.COMMAND, "root", via=f"manage.py {name}")):
        change(tmp_path)

    entries = AuditEntry.objects.filter(pk__gt=before.pk if before else 0)
    assert action in {each.action for each in entries}
    assert {(each.door, each.who, each.via) for each in entries} == {
        ("command", "root", f"manage.py {name}")
    }
    shown = "".join(f"{each.before}{each.after}" for each in entries)
    assert "correct horse" not in shown
