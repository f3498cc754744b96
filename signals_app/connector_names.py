"""What connectors may be called, and which names a key for connectors covers."""

import re
from typing import Final

#: Letters and digits, with dots, dashes and underscores between them; 64 at most.
CONNECTOR_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def continues(name: str, key_name: str) -> bool:
    """Whether a connector's name continues a key's, as `london-simulated` does `london`."""
    return name.startswith(f"{key_name}-")
