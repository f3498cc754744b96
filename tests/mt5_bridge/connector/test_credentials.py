import asyncio
import contextlib
import json
import ssl

import pytest

from mt5_bridge.connector.credentials import (
    CredentialsError,
    GivenToken,
    TokenEndpoint,
    TokenUnavailableError,
    is_loopback,
    trust_also,
    trust_only,
)
from mt5_bridge.protocol.login import Login
from tests.certificates import make_certificate


@contextlib.asynccontextmanager
async def answering(status, body):
    """Answer every HTTP request so, and keep what was asked."""
    asked = []

    async def handle(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length")
        )
        asked.append((head.decode(), json.loads(await reader.readexactly(length))))
        text = body if isinstance(body, str) else json.dumps(body)
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n"
            f"Connection: close\r\n\r\n{text}".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/api/v1/connectors/token", asked


async def fetched(status, body):
    async with answering(status, body) as (url, asked):
        token = await TokenEndpoint(url, "key", "mt5-primary", ("XAUUSD",)).fetch()
    return token, asked


async def test_a_token_is_asked_for_with_the_key_the_name_and_the_symbols():
    token, [(head, wanted)] = await fetched(200, {"token": "a.b.c", "expires_at": "…"})
    assert token == "a.b.c"
    assert head.startswith("POST /api/v1/connectors/token HTTP/1.1\r\n")
    assert "authorization: api-key key" in head.lower()
    assert wanted == {"name": "mt5-primary", "symbols": ["XAUUSD"]}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_says_what_to_check(status):
    with pytest.raises(CredentialsError, match=rf"\({status}: no such key\); check the API key"):
        await fetched(status, {"error": {"code": "permission_denied", "message": "no such key."}})


@pytest.mark.parametrize("body", ["<html>", [], {}, {"error": "no"}])
async def test_a_refusal_that_is_not_the_api_s_is_named_by_its_status(body):
    with pytest.raises(CredentialsError, match=r"\(404: X\); check the API key"):
        await fetched(404, body)


@pytest.mark.parametrize(
    ("status", "body"), [(500, "oops"), (429, {}), (503, {}), (200, "oops"), (200, {"token": 5})]
)
async def test_an_answer_without_a_token_is_asked_for_again(status, body):
    with pytest.raises(TokenUnavailableError):
        await fetched(status, body)


async def test_an_endpoint_that_is_not_there_is_asked_again():
    with pytest.raises(TokenUnavailableError, match="does not answer"):
        await TokenEndpoint("http://127.0.0.1:1/", "key", "name", ("XAUUSD",)).fetch()


def test_addresses_of_this_machine_are_known():
    assert is_loopback("ws://127.0.0.1:8765/x")
    assert is_loopback("http://localhost:8000")
    assert is_loopback("http://[::1]:8000")
    for host in ("example.org", "127.0.0.1.example.org", "127.example.org", "localhost.org"):
        assert not is_loopback(f"wss://{host}/x")


async def greeted(folder, trust):
    """Whether a server with the certificate in ``folder`` is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True


async def test_a_certificate_is_trusted_as_a_file_or_as_its_text_and_no_other(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for folder in (tmp_path, theirs):
        make_certificate(folder)
    file = tmp_path / "cert.pem"
    text = file.read_text()
    for trust in (
        trust_only(file),
        trust_only(None, text),
        trust_also(file),
        trust_also(None, text),
    ):
        assert await greeted(tmp_path, trust)
        assert not await greeted(theirs, trust)
    assert not await greeted(tmp_path, trust_only(None))


def test_only_a_trust_in_addition_knows_the_systems_authorities(tmp_path):
    make_certificate(tmp_path)
    file = tmp_path / "cert.pem"
    system = trust_only(None).cert_store_stats()["x509"]
    assert trust_only(file).cert_store_stats()["x509"] == 1
    assert trust_also(file).cert_store_stats()["x509"] == system + 1


def test_what_is_no_certificate_is_refused(tmp_path):
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(CredentialsError, match="holds no certificate; check --cafile"):
        trust_only(tmp_path / "none.pem")
    with pytest.raises(CredentialsError, match="--certificate is no certificate"):
        trust_also(None, "nothing")


def test_secrets_are_not_shown():
    shown = repr(
        [
            GivenToken("s3cret"),
            TokenEndpoint("https://a.org", "s3cret", "name", ()),
            Login(("XAUUSD",), "s3cret"),
            Login(("XAUUSD",), "s3cret").auth(),
        ]
    )
    assert "s3cret" not in shown
