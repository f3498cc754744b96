import os

import pytest

from mt5_bridge.connector.config_file import exposed_secrets, read_config_file, without_key

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mt5_bridge.toml"
    path.write_text('api-key = "s3cret"\nname = "a"\n')
    path.chmod(0o600)
    return path


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_read_and_that_holds_a_secret_is_told(file, mode):
    assert exposed_secrets(str(file)) == ""
    file.chmod(mode)
    sentence = exposed_secrets(str(file))
    assert f"chmod 600 {file}" in sentence
    assert "holds api_key" in sentence
    assert "s3cret" not in sentence


@posix
def test_a_file_without_secrets_may_be_read_by_all(file):
    file.chmod(0o644)
    file.write_text('key_from = "keyring"\n')
    assert exposed_secrets(str(file)) == ""
    file.write_text('[[terminal]]\npassword = "s3cret"\n')
    assert "holds password" in exposed_secrets(str(file))


def test_the_usual_file_need_not_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_config_file(None) == {}
    assert exposed_secrets(None) == ""


def test_dashes_are_as_good_as_underscores(file):
    assert read_config_file(str(file)) == {"api_key": "s3cret", "name": "a"}
    assert without_key(file) == 'key_from = "keyring"\nname = "a"\n'
