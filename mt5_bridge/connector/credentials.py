"""Whom the connector trusts, and how it gets the token that the server asks for."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 15.0


class CredentialsError(Exception):
    """The server's answer will not change by itself: one sentence that says what to do."""


class TokenUnavailableError(Exception):
    """There is no token right now; the next attempt may get one."""


class TokenSource(Protocol):
    """Where tokens come from."""

    async def fetch(self) -> str:
        """A token; raises `TokenUnavailableError` or `CredentialsError`."""
        ...


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token that was given on the command line; there is no other."""

    token: str = field(repr=False)

    async def fetch(self) -> str:
        return self.token


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The server's endpoint that gives tokens for an API key.

    ``trust`` is what the connection to it trusts; None is the system's authorities.
    """

    url: str
    api_key: str = field(repr=False)
    name: str
    symbols: Sequence[str]
    trust: ssl.SSLContext | None = None

    async def fetch(self) -> str:
        """A new token for the connector and its symbols."""
        # Here: it takes longer to load than everything else, and not every start needs it.
        import httpx

        # Not httpx's own list of authorities: both addresses are held against the system's.
        verify = trust_only(None) if self.trust is None else self.trust
        headers = {"Authorization": f"Api-Key {self.api_key}"}
        wanted = {"name": self.name, "symbols": list(self.symbols)}
        try:
            async with httpx.AsyncClient(
                verify=verify, timeout=_TIMEOUT, trust_env=not is_loopback(self.url)
            ) as client:
                answer = await client.post(self.url, headers=headers, json=wanted)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise TokenUnavailableError(f"{self.url} does not answer: {reason}") from None
        if answer.status_code in (400, 401, 403, 404):
            raise CredentialsError(
                f"{self.url} gives no token ({answer.status_code}: {_detail(answer)}); "
                "check the API key, the connector's name and the symbols"
            )
        if not answer.is_success:
            raise TokenUnavailableError(f"{self.url} answered {answer.status_code}")
        return _token(self.url, answer)


def trust_only(certificates: Path | None, pem: str = "") -> ssl.SSLContext:
    """What a connection trusts: exactly these certificates, or the system's authorities.

    ``certificates`` is a PEM file, ``pem`` the text of one. Raises `CredentialsError`.
    """
    if certificates is None and not pem:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _add_certificates(context, certificates, pem)
    return context


def trust_also(certificates: Path | None, pem: str = "") -> ssl.SSLContext:
    """A trust in the system's authorities, and in these certificates as `trust_only` takes them."""
    context = ssl.create_default_context()
    _add_certificates(context, certificates, pem)
    return context


def _add_certificates(context: ssl.SSLContext, certificates: Path | None, pem: str) -> None:
    # A server's own certificate may stand there without the authority that signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if certificates is not None:
        try:
            context.load_verify_locations(cafile=certificates)
        except OSError as error:
            is_content = isinstance(error, ssl.SSLError)
            reason = "it holds no certificate" if is_content else error.strerror
            raise CredentialsError(
                f"the certificates in {certificates} cannot be used: {reason}; check --cafile"
            ) from None
    if pem:
        try:
            context.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError):
            raise CredentialsError(
                "the text of --certificate is no certificate; take it from connector_config again"
            ) from None


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, so that no proxy stands before it."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name, whatever it begins with: 127.0.0.1.example.org is anywhere
        return False


def _detail(answer: "httpx.Response") -> str:
    """The sentence of the API's error body, as docs/reference/wire.md has it."""
    try:
        return str(answer.json()["error"]["message"]).rstrip(".")
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _token(url: str, answer: "httpx.Response") -> str:
    try:
        token = answer.json()["token"]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str) or not token:
        raise TokenUnavailableError(f"{url} answered without a token")
    return token
