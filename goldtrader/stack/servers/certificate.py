"""The gateway's self-signed TLS certificate, which its own connector trusts and no other."""

import datetime as dt
import ipaddress
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from goldtrader.environment import gateway_names
from goldtrader.stack.data_dir import DataDir, write_whole

_VALID = dt.timedelta(days=825)
_RENEWED_BEFORE = dt.timedelta(days=30)
_OWN_NAMES = ("localhost", "127.0.0.1", "::1", socket.gethostname())


def ensure(data_dir: DataDir, names: Iterable[str] = ()) -> None:
    """Make certificate and key in ``data_dir`` unless there is a pair that is valid for a while.

    It is valid for this machine by its own names, and by ``names`` too, host names or addresses.
    """
    names = tuple(names)
    known = _whole_pair(data_dir)
    if known is not None:
        lasts = known.not_valid_after_utc - dt.datetime.now(dt.UTC) > _RENEWED_BEFORE
        if lasts and set(_subjects(names, own=())) <= set(subjects_of(known)):
            return
    write_self_signed(data_dir.certificate, data_dir.private_key, names)


def _whole_pair(data_dir: DataDir) -> x509.Certificate | None:
    """The certificate, if its key is there; None where one was written and the other not."""
    try:
        known = x509.load_pem_x509_certificate(data_dir.certificate.read_bytes())
        key = serialization.load_pem_private_key(data_dir.private_key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    return known if key.public_key() == known.public_key() else None


def subjects_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The host names and addresses that a certificate is valid for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(found.value)


def is_valid_for(certificate: x509.Certificate, host: str) -> bool:
    """Whether a client that connects to ``host`` accepts the certificate's names."""
    names = {name.value for name in subjects_of(certificate) if isinstance(name, x509.DNSName)}
    _, _, domain = host.partition(".")
    return (
        subject_of(host) in subjects_of(certificate)
        or host.lower() in {name.lower() for name in names}
        or f"*.{domain}".lower() in {name.lower() for name in names}
    )


def subject_of(host: str) -> x509.GeneralName:
    """A host name or an address as a certificate names it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write_self_signed(certificate: Path, private_key: Path, names: Iterable[str] = ()) -> None:
    """Write a new certificate and its key as PEM files; only the owner may read the key.

    The certificate names loopback, this machine and ``names``.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(key, names)
    write_whole(
        private_key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    write_whole(certificate, signed.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _signed(key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "GoldTrader gateway")])
    now = dt.datetime.now(dt.UTC)
    public_key = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(_subjects(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(key, hashes.SHA256())
    )


def _subjects(names: Iterable[str], own: Iterable[str] = _OWN_NAMES) -> list[x509.GeneralName]:
    hosts = sorted({*own, *names})
    return [subject_of(host) for host in hosts if host.isascii() and host]


if __name__ == "__main__":
    ensure(DataDir(Path(sys.argv[1])), [*sys.argv[2:], *gateway_names(os.environ)])
