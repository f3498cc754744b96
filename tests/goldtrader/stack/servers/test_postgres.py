import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from goldtrader.stack.errors import StackError
from goldtrader.stack.servers import postgres
from goldtrader.stack.servers.postgres import binaries

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another account")


@pytest.fixture
def data_dir(tmp_path):
    made = tmp_path / "data"
    made.mkdir()
    yield made
    postgres.remove(made)


def _start(data_dir: Path) -> postgres.Postgres:
    return postgres.start(
        postgres.home_of(data_dir),
        log=data_dir / "postgres.log",
        password="secret",
        durability=postgres.THROWN_AWAY,
    )


def test_what_was_committed_is_there_after_a_restart(data_dir):
    first = _start(data_dir)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE noted AS SELECT 'kept' AS text")
    postgres.stop(first.server)

    second = _start(data_dir)
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT text FROM noted").fetchone() == ("kept",)
    postgres.stop(second.server)


def test_nobody_gets_in_without_the_password(data_dir):
    running = _start(data_dir)
    try:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(running.url.replace("secret", "guess"))
    finally:
        postgres.stop(running.server)


def test_a_data_directory_that_was_moved_keeps_its_database(tmp_path):
    (tmp_path / "open").mkdir()
    before, after = tmp_path / "open" / "before", tmp_path / "open" / "after"
    before.mkdir()
    postgres.stop(_start(before).server)
    before.rename(after)
    try:
        running = _start(after)
        with psycopg.connect(running.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        postgres.stop(running.server)
    finally:
        postgres.remove(after)


@as_root
def test_started_by_root_it_runs_as_another_account_and_opens_no_directory_of_roots(data_dir):
    data_dir.parent.chmod(0o700)
    running = _start(data_dir)
    owner = Path(f"/proc/{running.server.pid}").stat().st_uid
    postgres.stop(running.server)

    home = data_dir / json.loads((data_dir / "postgres.json").read_text())["home"]
    assert owner != 0
    assert pwd.getpwuid(owner).pw_name == home.owner()
    assert home.stat().st_mode & 0o777 == 0o700
    assert data_dir.parent.stat().st_mode & 0o777 == 0o700
    postgres.remove(data_dir)
    assert not home.exists()


@as_root
def test_a_new_data_directory_leaves_the_database_of_a_moved_one_alone(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    first = postgres.home_of(before)
    before.rename(after)
    before.mkdir()
    try:
        assert postgres.home_of(before).path != first.path
        assert postgres.home_of(after).path == first.path
    finally:
        postgres.remove(before)
        postgres.remove(after)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_with_their_libraries(
    data_dir, tmp_path, monkeypatch
):
    found = binaries.find_binaries()
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    parts = tuple(hidden / part.name for part in found.parts)
    for part, copy in zip(found.parts, parts, strict=True):
        subprocess.run(["cp", "-r", str(part), str(copy)], check=True)
    directory = hidden / found.directory.relative_to(found.parts[0].parent)
    hidden_ones = binaries.Binaries(directory, found.version, parts)
    monkeypatch.setattr(binaries, "find_binaries", lambda: hidden_ones)
    running = _start(data_dir)
    with psycopg.connect(running.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    postgres.stop(running.server)


def test_a_cluster_of_another_version_is_left_alone(data_dir):
    postgres.stop(_start(data_dir).server)
    home = postgres.home_of(data_dir)
    (home.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(StackError, match="was made by PostgreSQL 12"):
        _start(data_dir)


def test_a_cluster_that_is_gone_is_not_silently_begun_anew(data_dir):
    home = data_dir / "gone"
    (data_dir / "postgres.json").write_text(json.dumps({"home": str(home)}))
    with pytest.raises(StackError, match="which is gone"):
        postgres.home_of(data_dir)


def test_a_stranger_with_the_number_in_a_stale_pid_file_is_left_alone(data_dir):
    first = _start(data_dir)
    cluster = postgres.home_of(data_dir).cluster
    written = (cluster / "postmaster.pid").read_text().splitlines()
    postgres.stop(first.server)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (cluster / "postmaster.pid").write_text("\n".join([str(stranger.pid), *written[1:]]))

    second = _start(data_dir)

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    postgres.stop(second.server)


def test_the_server_of_another_cluster_is_left_alone(data_dir, tmp_path):
    (tmp_path / "other").mkdir()
    other = _start(tmp_path / "other")
    cluster = postgres.home_of(data_dir).cluster
    first = _start(data_dir)
    written = (cluster / "postmaster.pid").read_text().splitlines()
    postgres.stop(first.server)
    (cluster / "postmaster.pid").write_text("\n".join([str(other.server.pid), *written[1:]]))

    second = _start(data_dir)

    assert other.server.poll() is None
    for server in (second.server, other.server):
        postgres.stop(server)
    postgres.remove(tmp_path / "other")


def test_a_server_that_a_killed_stack_left_is_ended(data_dir):
    first = _start(data_dir)

    second = _start(data_dir)

    assert first.server.wait(10) == 0
    postgres.stop(second.server)
