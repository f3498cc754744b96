import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading

import pytest
from cryptography import x509

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.servers import certificate
from tests.paths import ROOT


def _speak(server: DataDir, trusted: DataDir, name: str) -> bytes:
    """Greet over TLS as the gateway does, to a client that trusts one certificate."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(server.certificate, server.private_key)
    client = ssl.create_default_context(cafile=trusted.certificate)
    near, far = socket.socketpair()

    def greet() -> None:
        # A client that does not trust us hangs up in the middle of the handshake.
        with (
            contextlib.suppress(OSError),
            far,
            ours.wrap_socket(far, server_side=True) as secured,
        ):
            secured.sendall(b"hello")

    thread = threading.Thread(target=greet)
    thread.start()
    try:
        with near, client.wrap_socket(near, server_hostname=name) as secured:
            return secured.recv(5)
    finally:
        near.close()
        thread.join()


@pytest.fixture
def two(tmp_path):
    made = []
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        made.append(DataDir(tmp_path / name))
        certificate.ensure(made[-1], ["gateway.example"])
    return made


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "gateway.example"])
def test_who_trusts_it_is_greeted_by_its_names(two, name):
    ours, _ = two
    assert _speak(ours, ours, name) == b"hello"


def test_who_trusts_another_one_is_not(two):
    ours, theirs = two
    with pytest.raises(ssl.SSLCertVerificationError):
        _speak(ours, theirs, "127.0.0.1")


def test_it_is_kept_while_it_is_valid(two):
    ours, _ = two
    before = ours.certificate.read_bytes()
    certificate.ensure(ours)
    assert ours.certificate.read_bytes() == before
    assert ours.private_key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["gold.example.org", "192.0.2.7", "2001:db8::7"])
def test_it_is_made_again_once_it_lacks_a_name(two, name):
    ours, _ = two
    before = ours.certificate.read_bytes()
    certificate.ensure(ours, [name])
    after = ours.certificate.read_bytes()
    assert after != before
    assert _speak(ours, ours, name) == b"hello"
    certificate.ensure(ours, [name])
    assert ours.certificate.read_bytes() == after


def test_names_are_compared_as_clients_do(tmp_path):
    home = DataDir(tmp_path)
    certificate.ensure(home, ["*.example.org", "192.0.2.7"])
    found = x509.load_pem_x509_certificate(home.certificate.read_bytes())
    for host in ("localhost", "gold.example.org", "Gold.Example.Org", "192.0.2.7", "127.0.0.1"):
        assert certificate.is_valid_for(found, host)
    for host in ("example.org", "a.b.example.org", "192.0.2.8"):
        assert not certificate.is_valid_for(found, host)


def test_the_program_takes_names_from_its_arguments_and_the_environment(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "goldtrader.stack.servers.certificate", tmp_path, "gateway"],
        cwd=ROOT, env={**os.environ, "GATEWAY_NAMES": "gold.example.org, 192.0.2.7"}, check=True,
    )  # fmt: skip
    found = x509.load_pem_x509_certificate((tmp_path / "gateway.crt").read_bytes())
    for host in ("gateway", "gold.example.org", "192.0.2.7"):
        assert certificate.is_valid_for(found, host)


@pytest.mark.parametrize("damage", ["half", "key of another", "no key", "empty"])
def test_a_pair_that_was_written_in_part_is_made_again(two, damage):
    ours, theirs = two
    if damage == "half":
        ours.certificate.write_bytes(ours.certificate.read_bytes()[:200])
    elif damage == "key of another":
        ours.private_key.write_bytes(theirs.private_key.read_bytes())
    elif damage == "no key":
        ours.private_key.unlink()
    else:
        ours.private_key.write_bytes(b"")
    certificate.ensure(ours)
    assert _speak(ours, ours, "localhost") == b"hello"
    assert ours.private_key.stat().st_mode & 0o777 == 0o600
