"""manage.py connector_config: a whole configuration for a connector on another machine."""

import io
import socket
import ssl
import threading
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from goldtrader.models import ApiKey
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.servers import certificate
from mt5_bridge.connector.config import Config, SourceKind, read_setup
from mt5_bridge.connector.credentials import trust_only
from mt5_bridge.connector.store_key import store_key
from tests.mt5_bridge.memory_keyring import memory_keyring

__all__ = ["memory_keyring"]

pytestmark = pytest.mark.django_db
HOST = "gold.example.org"


@pytest.fixture
def home(tmp_path: Path, settings: object) -> DataDir:
    home = DataDir(tmp_path)
    certificate.ensure(home, [HOST, "192.0.2.7"])
    settings.GATEWAY_TLS_CERT = str(home.certificate)
    settings.DATA_DIR = tmp_path
    settings.GATEWAY_NAMES = [HOST]
    settings.GATEWAY_PORT = 8765
    return home


def printed(tmp_path: Path, name: str, **options: str) -> Config:
    """The configuration that the command prints, as the connector reads it."""
    out = io.StringIO()
    call_command("connector_config", name, stdout=out, stderr=io.StringIO(), **options)
    file = tmp_path / "mt5_bridge.toml"
    file.write_text(out.getvalue())
    (config,) = read_setup(["--config", str(file)], {}).streams
    return config


def test_the_connector_reads_what_is_printed(home: DataDir, tmp_path: Path) -> None:
    config = printed(tmp_path, "mt5-london", symbols="XAUUSD")

    assert config == Config(
        source=SourceKind.MT5,
        url=f"wss://{HOST}:8765/ws/v1/ticks",
        symbol="XAUUSD",
        name="mt5-london",
        spool=Path("spool"),
        token_url=f"https://{HOST}/api/v1/connectors/token",
        api_key=config.api_key,
        certificate=home.certificate.read_text(),
    )
    key = ApiKey.objects.get_from_key(config.api_key)
    assert (key.name, key.scope, key.symbols) == ("mt5-london", "connector", ["XAUUSD"])


def test_several_symbols_are_connectors_of_one_key(home: DataDir, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command(
        "connector_config", "mt5-london", symbols="XAUUSD,EURUSD", stdout=out, stderr=io.StringIO()
    )
    (tmp_path / "mt5_bridge.toml").write_text(out.getvalue())

    streams = read_setup(["--config", str(tmp_path / "mt5_bridge.toml")], {}).streams

    assert [(each.name, each.symbol, each.spool.as_posix()) for each in streams] == [
        ("mt5-london-XAUUSD", "XAUUSD", "spool/mt5-london-XAUUSD"),
        ("mt5-london-EURUSD", "EURUSD", "spool/mt5-london-EURUSD"),
    ]
    (key,) = {ApiKey.objects.get_from_key(each.api_key) for each in streams}
    assert (key.name, key.symbols) == ("mt5-london", ["EURUSD", "XAUUSD"])


def test_the_gateway_is_trusted_by_the_name_in_the_configuration(
    home: DataDir, tmp_path: Path
) -> None:
    config = printed(tmp_path, "mt5", symbols="XAUUSD")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home.certificate, home.private_key)
    near, far = socket.socketpair()

    def greet() -> None:
        with far, server.wrap_socket(far, server_side=True) as secured:
            secured.sendall(b"hello")

    thread = threading.Thread(target=greet)
    thread.start()
    trust = trust_only(config.cafile, config.certificate)
    with near, trust.wrap_socket(near, server_hostname=HOST) as secured:
        assert secured.recv(5) == b"hello"
    thread.join()


def test_the_running_stacks_port_and_another_address_are_used(
    home: DataDir, tmp_path: Path
) -> None:
    (tmp_path / "stack.json").write_text('{"gateway_port": 18765}')

    config = printed(
        tmp_path, "mt5", symbols="XAUUSD", host="192.0.2.7", token_url="https://api.example.org/t"
    )

    assert config.url == "wss://192.0.2.7:18765/ws/v1/ticks"
    assert config.token_url == "https://api.example.org/t"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("-", {}, "'-' is no name"),
        ("mt5", {"symbols": ","}, "',' are no symbols"),
        ("mt5", {"host": "g\u00fcnther.example.org"}, "is no name as certificates have it"),
        ("mt5", {"token_url": "http://gold.example.org/t"}, "would show the API key"),
        ("mt5", {"token_url": 'https://gold.example.org/"'}, "is no address"),
        (
            "mt5",
            {"host": "other.example.org"},
            "does not name other.example.org: set GATEWAY_NAMES",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_makes_no_key(
    home: DataDir, name: str, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as refusal:
        call_command("connector_config", name, **{"symbols": "XAUUSD", **options})

    assert refusal.value.returncode == 2
    assert not ApiKey.objects.exists()


def test_without_a_name_for_this_machine_it_asks_for_one(home: DataDir, settings: object) -> None:
    settings.GATEWAY_NAMES = []

    with pytest.raises(CommandError, match="Give --host NAME, or set GATEWAY_NAMES=NAME"):
        call_command("connector_config", "mt5", symbols="XAUUSD")


def test_without_a_certificate_it_says_which(home: DataDir) -> None:
    home.certificate.unlink()

    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        call_command("connector_config", "mt5", symbols="XAUUSD")


def test_the_zip_holds_everything_but_the_key(
    home: DataDir, tmp_path: Path, memory_keyring: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    file = tmp_path / "connector.zip"

    call_command(
        "connector_config", "mt5-london", symbols="XAUUSD", zip=file, stdout=out,
        stderr=io.StringIO(),
    )  # fmt: skip

    key = out.getvalue().strip()
    assert ApiKey.objects.get_from_key(key).symbols == ["XAUUSD"]
    with zipfile.ZipFile(file) as archive:
        assert all(key.encode() not in archive.read(name) for name in archive.namelist())
        archive.extract("goldtrader-connector/mt5_bridge.toml", tmp_path)
    # As its user does there: the key is stored, and the connector reads all the rest.
    monkeypatch.chdir(tmp_path / "goldtrader-connector")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
    store_key([], lambda _: None)
    (config,) = read_setup([], {}).streams
    assert (config.name, config.symbol, config.api_key) == ("mt5-london", "XAUUSD", key)
    assert config.certificate == home.certificate.read_text()


def test_a_zip_that_cannot_be_written_makes_no_key(home: DataDir, tmp_path: Path) -> None:
    file = tmp_path / "none" / "connector.zip"
    with pytest.raises(CommandError, match="cannot be written: No such file") as refusal:
        call_command("connector_config", "mt5", symbols="XAUUSD", zip=file)

    assert refusal.value.returncode == 2
    assert not ApiKey.objects.exists()
