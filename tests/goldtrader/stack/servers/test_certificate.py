import contextlib
import socket
import ssl
import threading

import pytest

from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.servers import certificate


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
