"""Self-signed certificates for the servers that tests start."""

from pathlib import Path

from goldtrader.stack.servers import certificate


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost as `cert.pem` and its key as `key.pem`; return both."""
    made = folder / "cert.pem", folder / "key.pem"
    certificate.write_self_signed(*made)
    return made
