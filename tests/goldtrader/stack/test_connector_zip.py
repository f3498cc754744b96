"""The file with everything that a connector needs on Windows."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from goldtrader.stack.connector_zip import FOLDER, write_zip
from goldtrader.stack.remote_connector import RemoteConnector
from tests.paths import ROOT

CONNECTOR = RemoteConnector(
    name="mt5-london",
    symbols=("XAUUSD", "EURUSD"),
    url="wss://gold.example.org:8765/ws/v1/ticks",
    token_url="https://gold.example.org/api/v1/connectors/token",
    certificate="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    write_zip(tmp_path / "connector.zip", CONNECTOR, ROOT)
    with zipfile.ZipFile(tmp_path / "connector.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / FOLDER


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mt5_bridge", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip


def test_the_connector_in_it_runs_from_its_folder(unpacked: Path) -> None:
    assert run(unpacked, "--version").stdout.startswith("mt5_bridge ")
    without_key = run(unpacked)
    assert without_key.returncode == 2
    assert "Traceback" not in without_key.stderr
    assert "key" in without_key.stderr


def test_there_is_all_of_the_package_and_nothing_else(unpacked: Path) -> None:
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*.py")}
    package = ROOT / "mt5_bridge"
    assert found == {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}
    others = {path.name for path in unpacked.iterdir()} - {"mt5_bridge"}
    assert others == {"READ ME.txt", "install.cmd", "mt5-bridge.cmd", "mt5_bridge.toml", "LICENSE"}
    assert not list(unpacked.rglob("*.pyc"))
    assert (unpacked / "mt5_bridge" / "README.md").is_file()


def test_its_scripts_are_windows_own_and_ask_for_what_is_hashed(unpacked: Path) -> None:
    script = (unpacked / "install.cmd").read_bytes()
    assert script.count(b"\n") == script.count(b"\r\n") > 10
    text = script.decode()
    assert "--require-hashes -r mt5_bridge\\requirements.txt" in text
    assert '"MetaTrader5>=5' in text
    for label in re.findall(r"goto (\w+)", text):
        assert f"\r\n:{label}\r\n" in text
    # Each step that fails ends the installation.
    for step in re.findall(r"^(?:py |%python%|call ).*\r\n(.*)\r$", text, re.MULTILINE):
        assert step.startswith("if errorlevel 1 goto ")
    assert "mt5-london: XAUUSD, EURUSD" in (unpacked / "READ ME.txt").read_text()


def test_the_same_connector_gives_the_same_bytes(tmp_path: Path) -> None:
    write_zip(tmp_path / "one.zip", CONNECTOR, ROOT)
    write_zip(tmp_path / "two.zip", CONNECTOR, ROOT)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert not list(tmp_path.glob("*.part"))
