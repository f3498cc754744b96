"""What a connector on another machine needs to know: addresses, certificate, symbols and key."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from django.conf import settings

from goldtrader.stack.servers.certificate import is_valid_for
from mt5_bridge.connector.config_file import ConfigError
from mt5_bridge.connector.config_values import check_token_url
from signals_app.connector_names import CONNECTOR_NAME, NAME_RULE
from signals_app.market.symbols import UnknownSymbol, listed_symbols


class RemoteConnectorError(Exception):
    """There can be no such connector on another machine: one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class RemoteConnector:
    """A connector's settings. ``certificate`` is PEM, empty where an authority signed it.

    Without a key its file says that the key is in the keyring.
    """

    name: str
    symbols: tuple[str, ...]
    url: str
    token_url: str
    certificate: str
    key: str = field(default="", repr=False)

    def toml(self) -> str:
        """The connector's whole `mt5_bridge.toml`."""
        listed = ", ".join(f'"{symbol}"' for symbol in self.symbols)
        first = self.symbols[0]
        lines = [
            'source = "mt5"',
            f'name = "{self.name}"',
            f"symbols = [{listed}]" if len(self.symbols) > 1 else f'symbol = "{first}"',
            "# Where the broker spells a symbol otherwise:",
            f'# symbols = ["{first}={first}.r"]',
            f'url = "{self.url}"',
            f'token_url = "{self.token_url}"',
            f'api_key = "{self.key}"' if self.key else 'key_from = "keyring"',
            'spool = "spool"',
            *([f'certificate = """\n{self.certificate}\n"""'] * bool(self.certificate)),
        ]
        return "\n".join(lines)


def describe(
    name: str,
    symbols: str,
    *,
    host: str | None = None,
    token_url: str | None = None,
    directory: Path | None = None,
) -> tuple[RemoteConnector, str]:
    """The connector, without its key, and which authority signed the gateway's certificate.

    ``symbols`` are separated by commas, ``host`` is how the other machine reaches this one, and
    ``directory`` a stack's data. Raises `RemoteConnectorError`.
    """
    name = name.strip()
    if not CONNECTOR_NAME.fullmatch(name):
        raise RemoteConnectorError(f"{name!r} is no name: {NAME_RULE}")
    try:
        listed = tuple(listed_symbols(symbols))
    except UnknownSymbol as error:
        raise RemoteConnectorError(str(error)) from None
    host = host or _usual_host()
    if not host.isascii():
        raise RemoteConnectorError(
            f"{host!r} is no name as certificates have it: give the one in plain letters (xn--…)"
        )
    pem, authority = _gateway_certificate(directory, host)
    url = _gateway_url(directory, host)
    token_url = token_url or f"https://{_in_url(host)}/api/v1/connectors/token"
    try:
        check_token_url(token_url)
    except ConfigError as error:
        raise RemoteConnectorError(str(error)) from None
    return RemoteConnector(name, listed, url, token_url, pem), authority


def _usual_host() -> str:
    """How other machines reach this one; raises `RemoteConnectorError` where nothing says so."""
    if not settings.GATEWAY_NAMES:
        raise RemoteConnectorError(
            "how is this machine reached? Give --host NAME, or set GATEWAY_NAMES=NAME and start "
            "the stack again, whose certificate names it then"
        )
    return str(settings.GATEWAY_NAMES[0])


def _gateway_certificate(directory: Path | None, host: str) -> tuple[str, str]:
    """The gateway's own certificate as PEM, empty where an authority signed it, and which one.

    ``directory`` is a stack's data. Raises `RemoteConnectorError` where it does not name ``host``.
    """
    path = directory / "gateway.crt" if directory else Path(settings.GATEWAY_TLS_CERT)
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no certificate"
        raise RemoteConnectorError(
            f"{path} cannot be read: {reason}; start the gateway once, or set GATEWAY_TLS_CERT"
        ) from None
    if not is_valid_for(found, host):
        raise RemoteConnectorError(
            f"{path} does not name {host}: set GATEWAY_NAMES={host} and start the stack again, or "
            "give the --host that it names"
        )
    if found.issuer != found.subject:
        return "", found.issuer.rfc4514_string()
    return path.read_text().strip(), ""


def _gateway_url(directory: Path | None, host: str) -> str:
    """The address of the gateway: the running stack's port, else the configured one."""
    port = settings.GATEWAY_PORT
    try:
        running = json.loads(((directory or settings.DATA_DIR) / "stack.json").read_text())
        port = int(running.get("gateway_port", port))
    except (OSError, ValueError):
        pass
    return f"wss://{_in_url(host)}:{port}/ws/v1/ticks"


def _in_url(host: str) -> str:
    """The host as addresses write it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
