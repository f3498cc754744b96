"""How the environment is made, with installers that only note what they are asked."""

from pathlib import Path

import pytest

from goldtrader.stack import install

PINS = install.RUNTIME


@pytest.fixture
def environment(tmp_path) -> Path:
    """An environment whose `python` and `uv` note their arguments, and end with the code given."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    return tmp_path


def provide(environment: Path, name: str, exit_code: int, says: str = "") -> None:
    program = environment / "bin" / name
    program.write_text(
        f'#!/bin/sh\necho "{name} $*" >> {environment}/asked\necho "{says}"\nexit {exit_code}\n'
    )
    program.chmod(0o755)


def asked(environment: Path) -> list[str]:
    return (environment / "asked").read_text().splitlines()


def test_uv_installs_with_hashes_and_without_building(environment) -> None:
    provide(environment, "python", 0)
    provide(environment, "uv", 0)

    install._install(environment / "bin" / "python", PINS)

    (call,) = asked(environment)
    assert call.startswith("uv pip install")
    assert "--require-hashes" in call
    assert "--only-binary=:all:" in call


def test_pip_fetches_uv_first_and_installs_where_there_is_none(environment) -> None:
    provide(environment, "python", 0)

    install._install(environment / "bin" / "python", PINS)

    fetched, installed = asked(environment)
    assert fetched.endswith(str(install.INSTALLER))
    assert installed.startswith("python -m pip install")
    assert installed.endswith(f"--require-hashes --requirement {PINS}")


def test_pip_tries_what_uv_could_not(environment) -> None:
    provide(environment, "python", 0)
    provide(environment, "uv", 1, says="no such index")

    install._install(environment / "bin" / "python", PINS)

    assert [call.split()[0] for call in asked(environment)] == ["uv", "python"]


def test_a_failure_of_both_shows_what_was_said(environment, capsys) -> None:
    provide(environment, "uv", 1)
    provide(environment, "python", 1, says="Connection refused")

    with pytest.raises(OSError, match=r"requirements.txt could not be installed; is the package"):
        install._install(environment / "bin" / "python", PINS)

    assert "Connection refused" in capsys.readouterr().err
