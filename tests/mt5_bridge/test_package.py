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
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert names_of(PROJECT["project"]["dependencies"]) == names_of(pinned)
    # Old versions vanish from the index.
    assert not any("MetaTrader5==" in line for line in pinned)


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
