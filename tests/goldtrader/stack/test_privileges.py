"""A stack that root starts. Who is not root, or has no account to become, skips what needs both."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from goldtrader.stack import account as accounts
from goldtrader.stack import privileges
from goldtrader.stack.account import Account

NOBODY = pwd.getpwnam("nobody")
ACCOUNT = Account("nobody", NOBODY.pw_uid, NOBODY.pw_gid)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand over what is its own")


@pytest.fixture
def became(monkeypatch) -> list[Account]:
    """The account of the machine is nobody; who was become is noted and not become."""
    became: list[Account] = []

    def become(account: Account, _: Path) -> None:
        became.append(account)
        raise SystemExit

    monkeypatch.setattr(accounts, "required_account", lambda: ACCOUNT)
    monkeypatch.setattr(privileges, "_become", become)
    return became


@pytest.fixture
def reachable(tmp_path_factory, monkeypatch) -> Path:
    """A directory that every account reaches, with a program that each can run."""
    monkeypatch.setattr(accounts, "runs", lambda *_: True)
    return tmp_path_factory.mktemp("reachable")


def test_who_is_not_root_stays_who_it_is(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(accounts, "required_account", lambda: None)

    assert privileges.leave_root(tmp_path / "data") is None
    assert not (tmp_path / "data").exists()


@as_root
def test_the_account_owns_what_was_roots_in_the_data_directory(reachable, became) -> None:
    data = reachable / "data"
    (data / "logs").mkdir(parents=True)
    (data / "lock").touch()
    (data / "logs" / "web.log").write_text("begun by root")
    outside = reachable / "outside"
    outside.touch()
    (data / "link").symlink_to(outside)
    (data / "second-name").hardlink_to(outside)

    with pytest.raises(SystemExit):
        privileges.leave_root(data)

    assert became == [ACCOUNT]
    for path in (data, data / "lock", data / "logs", data / "logs" / "web.log"):
        assert path.stat().st_uid == ACCOUNT.uid
    assert outside.stat().st_uid == 0


@as_root
def test_the_data_directory_is_made_for_the_account_alone(reachable, became) -> None:
    with pytest.raises(SystemExit):
        privileges.leave_root(reachable / "new" / "data")

    made = (reachable / "new" / "data").stat()
    assert made.st_uid == became[0].uid
    assert stat.S_IMODE(made.st_mode) == 0o700


@as_root
def test_an_account_that_owns_the_data_already_goes_on_with_it(reachable, became) -> None:
    data = reachable / "data"
    data.mkdir()
    daemon = pwd.getpwnam("daemon")
    os.chown(data, daemon.pw_uid, daemon.pw_gid)
    (data / "lock").touch()

    with pytest.raises(SystemExit):
        privileges.leave_root(data)

    assert [account.name for account in became] == ["daemon"]


def test_a_directory_of_somebody_else_is_left_as_it_is(reachable, became) -> None:
    (reachable / "photo.jpg").touch()

    said = privileges.leave_root(reachable)

    assert became == []
    assert said is not None
    assert said.startswith(f"This runs as root: the account 'nobody' cannot use {reachable}.")


def test_a_program_that_the_account_cannot_run_is_named(monkeypatch, tmp_path, became) -> None:
    monkeypatch.setattr(accounts, "runs", lambda _, command: command[0] != sys.executable)

    said = privileges.leave_root(tmp_path / "data")

    assert became == []
    assert said is not None
    assert f"cannot use {sys.executable}" in said
    assert "/opt" in said
    assert not (tmp_path / "data").exists()


@as_root
def test_becoming_an_account_leaves_nothing_of_root() -> None:
    python = "/usr/bin/python3"
    if not accounts.runs(ACCOUNT, [python, "-c", "pass"]):
        pytest.skip(f"the account {ACCOUNT.name} cannot run {python}")
    program = "import os; print(os.getuid(), os.geteuid(), os.getgroups(), os.environ['HOME'])"
    begun = (
        "import sys; from pathlib import Path; from goldtrader.stack import privileges; "
        f"from goldtrader.stack.account import Account; sys.executable = {python!r}; "
        f"sys.argv = ['-c', {program!r}]; "
        f"privileges._become(Account('nobody', {ACCOUNT.uid}, {ACCOUNT.gid}), Path('/nonexistent'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", begun],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(Path(privileges.__file__).parents[2])},
    )

    assert ended.stdout.split(maxsplit=2)[:2] == [str(ACCOUNT.uid)] * 2
    assert "[0" not in ended.stdout
    assert "/nonexistent" in ended.stdout
