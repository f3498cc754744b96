"""A data directory that was restored from a backup, by another account or with other rights."""

import json
import os
import shlex

import pytest

from goldtrader.stack import ownership
from goldtrader.stack.errors import StackError

OTHER = os.geteuid() + 4_000


@pytest.fixture
def data_dir(tmp_path):
    made = tmp_path / "a place"
    (made / "postgres" / "cluster").mkdir(parents=True)
    (made / "postgres.json").write_text(json.dumps({"home": "postgres"}))
    (made / "keys.json").write_text("{}")
    return made


def test_what_belongs_to_another_account_is_named_with_its_owner_and_what_to_do(data_dir):
    with pytest.raises(StackError) as refused:
        ownership.require_own(data_dir, uid=OTHER)
    sentence = str(refused.value)
    assert sentence.startswith(f"{data_dir / 'keys.json'} belongs to ")
    assert f"`sudo chown -R {OTHER} {shlex.quote(str(data_dir))}`" in sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_cluster_of_another_account_is_named(data_dir):
    for path in (data_dir, *data_dir.rglob("*")):
        os.chown(path, OTHER, -1)
    ownership.require_own(data_dir, uid=OTHER)
    os.chown(data_dir / "postgres" / "cluster", 0, -1)
    with pytest.raises(StackError, match=r"postgres/cluster belongs to root, and this account"):
        ownership.require_own(data_dir, uid=OTHER)


def test_root_and_the_owner_may_use_it_and_so_may_whoever_makes_it_new(data_dir, tmp_path):
    ownership.require_own(data_dir, uid=0)
    ownership.require_own(data_dir, uid=os.geteuid())
    ownership.require_own(tmp_path / "new", uid=OTHER)


def test_rights_of_others_that_a_restored_backup_gives_are_taken_back(data_dir):
    cluster, keys = data_dir / "postgres" / "cluster", data_dir / "keys.json"
    cluster.chmod(0o755)
    keys.chmod(0o644)
    ownership.close_to_others(data_dir)
    assert cluster.stat().st_mode & 0o777 == 0o700
    assert keys.stat().st_mode & 0o777 == 0o600
