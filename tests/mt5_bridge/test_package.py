"""The connector as a package of its own: `pip install ./mt5_bridge`."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module

from mt5_bridge import __version__
from tests.paths import ROOT

FOLDER = ROOT / "mt5_bridge"
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text())


def names_of(requirements):
    return {re.match(r"[\w-]+", each)[0].lower() for each in requirements}


def test_everything_that_python_imports_is_in_the_wheel():
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = {path.name for path in FOLDER.glob("*.py")}
    parts |= {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert set(wheel["only-include"]) == parts
    assert wheel["sources"] == {"": "mt5_bridge"}


def test_it_needs_what_the_tested_versions_are_given_for():
    lines = (FOLDER / "requirements.txt").read_text().splitlines()
    pinned = [line for line in lines if re.match(r"[\w-]+==", line)]
    needed = [*PROJECT["project"]["dependencies"], "keyring"]
    # Its old versions vanish from the index, so that no hash of it would last.
    assert names_of(needed) - names_of(pinned) == {"metatrader5"}


def test_every_version_has_its_hashes():
    text = (FOLDER / "requirements.txt").read_text()
    blocks = re.split(r"^(?=[\w-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 10
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_its_commands_can_be_called():
    scripts = PROJECT["project"]["scripts"] | PROJECT["project"]["gui-scripts"]
    assert set(scripts) == {"mt5-bridge", "mt5-bridgew"}
    for target in scripts.values():
        module, name = target.split(":")
        assert callable(getattr(import_module(module), name))


def test_it_says_its_version():
    found = subprocess.run(
        [sys.executable, "-m", "mt5_bridge", "--version"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == f"mt5_bridge {__version__}\n"
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert server["project"]["version"] == __version__
