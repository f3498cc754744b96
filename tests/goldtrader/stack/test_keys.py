import json
from dataclasses import asdict

import pytest
from cryptography.fernet import Fernet

from goldtrader.stack import keys
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.errors import StackError
from signals_app.gateway.tokens import SigningKeys


def test_secrets_are_made_once(tmp_path):
    first = keys.load_or_generate(DataDir(tmp_path))
    assert keys.load_or_generate(DataDir(tmp_path)) == first
    assert DataDir(tmp_path).keys.stat().st_mode & 0o777 == 0o600


def test_every_installation_has_its_own(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (keys.load_or_generate(DataDir(tmp_path / name)) for name in ("one", "two"))
    assert one.secret_key != two.secret_key
    assert one.connector_jwt_keys != two.connector_jwt_keys


def test_they_have_the_forms_that_their_users_read(tmp_path):
    made = keys.load_or_generate(DataDir(tmp_path))
    assert len(SigningKeys.parse(made.connector_jwt_keys).secrets) == 1


def test_damaged_secrets_are_refused_and_not_replaced(tmp_path):
    DataDir(tmp_path).keys.write_text("{")
    with pytest.raises(StackError, match="cannot be read"):
        keys.load_or_generate(DataDir(tmp_path))
    assert DataDir(tmp_path).keys.read_text() == "{"


def test_secrets_of_an_earlier_version_are_read_without_what_nothing_uses_now(tmp_path):
    written = asdict(keys.load_or_generate(DataDir(tmp_path)))
    DataDir(tmp_path).keys.write_text(json.dumps(written | {"retired_password": "unused"}))
    assert asdict(keys.load_or_generate(DataDir(tmp_path))) == written


def test_secrets_of_a_version_without_a_password_for_flower_get_one_and_keep_the_rest(tmp_path):
    written = asdict(keys.load_or_generate(DataDir(tmp_path)))
    del written["flower_password"]
    DataDir(tmp_path).keys.write_text(json.dumps(written))
    read = keys.load_or_generate(DataDir(tmp_path))
    assert asdict(read) == written | {"flower_password": read.flower_password}
    assert len(read.flower_password) > 20
    assert keys.load_or_generate(DataDir(tmp_path)) == read


@pytest.mark.parametrize("written", [{}, {"field_encryption_keys": "of an early version"}])
def test_secrets_of_a_version_that_encrypted_nothing_get_a_key_that_stays(tmp_path, written):
    before = asdict(keys.load_or_generate(DataDir(tmp_path)))
    del before["field_encryption_keys"]
    DataDir(tmp_path).keys.write_text(json.dumps(before | written))

    first = keys.load_or_generate(DataDir(tmp_path))

    assert Fernet(first.field_encryption_keys)
    assert keys.load_or_generate(DataDir(tmp_path)) == first
    assert asdict(first).items() >= before.items()
