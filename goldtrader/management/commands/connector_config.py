"""`manage.py connector_config NAME --symbols S[,S]`: what a connector on another machine needs."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography import x509
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from goldtrader.models import ApiKey
from goldtrader.stack.servers.certificate import is_valid_for
from signals_app.management.database import add_data_dir_argument, open_database
from signals_app.market.symbols import SYMBOL

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


class Command(BaseCommand):
    """Makes a key for the connector and prints its whole `mt5_bridge.toml`."""

    help = "Print a complete mt5_bridge.toml, with a new key and the certificate, for a connector."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the connector's name, its symbols, and how this server is reached."""
        parser.add_argument("name", help="the connector, e.g. mt5-london")
        parser.add_argument("--symbols", required=True, help="e.g. XAUUSD or XAUUSD,EURUSD")
        parser.add_argument(
            "--host", help="how the other machine reaches this one (default: GATEWAY_NAMES' first)"
        )
        parser.add_argument("--token-url", help="default https://HOST/api/v1/connectors/token")
        add_data_dir_argument(parser)

    def handle(self, **options: Any) -> None:
        name, host = options["name"].strip(), options["host"] or _usual_host()
        symbols = list(dict.fromkeys(filter(None, map(str.strip, options["symbols"].split(",")))))
        if not _NAME.fullmatch(name):
            raise _refused(f"{name!r} is no name: use up to 50 letters, digits, dots, dashes")
        if not symbols or not all(map(SYMBOL.fullmatch, symbols)):
            raise _refused(f"{options['symbols']!r} are no symbols: use e.g. XAUUSD,EURUSD")
        directory = options["data_dir"]
        pem, authority = _certificate(directory, host)
        with open_database(directory, by="connector_config"):
            _, key = ApiKey.objects.create_key(
                name=name, scope=ApiKey.Scope.CONNECTOR, symbols=sorted(symbols)
            )
        token_url = options["token_url"] or f"https://{_in_url(host)}/api/v1/connectors/token"
        self.stderr.write(
            "Save this as mt5_bridge.toml where the connector is started, readable by its account "
            "alone: it holds a key, which is not shown again."
        )
        if not pem:
            self.stderr.write(f"The gateway's certificate is {authority}'s, which is not copied.")
        self.stdout.write(_toml(name, symbols, _gateway_url(directory, host), token_url, key, pem))


def _usual_host() -> str:
    if not settings.GATEWAY_NAMES:
        raise _refused(
            "how is this machine reached? Give --host NAME, or set GATEWAY_NAMES=NAME and start "
            "the stack again, whose certificate names it then"
        )
    return str(settings.GATEWAY_NAMES[0])


def _certificate(directory: Path | None, host: str) -> tuple[str, str]:
    """The gateway's own certificate as PEM, empty where an authority signed it, and which one."""
    path = directory / "gateway.crt" if directory else Path(settings.GATEWAY_TLS_CERT)
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no certificate"
        raise _refused(
            f"{path} cannot be read: {reason}; start the gateway once, or set GATEWAY_TLS_CERT"
        ) from None
    if not is_valid_for(found, host):
        raise _refused(
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


def _toml(
    name: str, symbols: list[str], url: str, token_url: str, key: str, certificate: str
) -> str:
    several = len(symbols) > 1
    listed = ", ".join(f'"{symbol}"' for symbol in symbols)
    lines = [
        'source = "mt5"',
        f'name = "{name}"',
        f"symbols = [{listed}]" if several else f'symbol = "{symbols[0]}"',
        "# Where the broker spells a symbol otherwise:",
        f'# symbols = ["{symbols[0]}={symbols[0]}.r"]',
        f'url = "{url}"',
        f'token_url = "{token_url}"',
        f'api_key = "{key}"',
        'spool = "spool"',
        *([f'certificate = """\n{certificate}\n"""'] * bool(certificate)),
    ]
    return "\n".join(lines)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=2)
